-- Grain: one row per practitioner.
{{ config(unique_key='id') }}
with newest as (
  select key, arg_max(operation, feed_id) as operation, arg_max(new_row, feed_id) as image
  from ({{ batch_changes('practitioner') }})
  where not superseded
  group by key
)
select key as id, image ->> 'sort_key' as sort_key, operation = 'D' as deleted_flag
from newest
