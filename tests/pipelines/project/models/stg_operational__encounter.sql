-- Grain: one row per visit.
{{ config(unique_key='id') }}
with newest as (
  select key, arg_max(operation, feed_id) as operation, arg_max(new_row, feed_id) as image
  from ({{ batch_changes('encounter') }})
  where not superseded
  group by key
)
select
  key as id,
  (image ->> 'practitioner_id')::bigint as practitioner_id,
  image ->> 'status' as status,
  (image ->> 'complaints') as complaints,
  timezone('Asia/Oral', (image ->> 'started_at')::timestamptz)::date as event_date,
  (image ->> 'voided_at') is not null as voided_flag,
  operation = 'D' as deleted_flag
from newest
