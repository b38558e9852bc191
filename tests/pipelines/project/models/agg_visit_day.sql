-- Grain: one row per day and practitioner that has visits.
{{ config(unique_key=['event_date', 'practitioner_id']) }}
with touched as (
  select distinct
    timezone('Asia/Oral', (image ->> 'started_at')::timestamptz)::date as event_date,
    (image ->> 'practitioner_id')::bigint as practitioner_id
  from (
    select unnest([new_row, old_row]) as image from ({{ batch_changes('encounter') }})
  )
  where image is not null
),
cells as (
  select fact.event_date, fact.practitioner_id, count(fact.encounter_id) as visits
  from touched
  inner join {{ ref('fct_visit') }} as fact
    on touched.event_date = fact.event_date and touched.practitioner_id = fact.practitioner_id
  group by all
)
select
  touched.event_date, touched.practitioner_id, coalesce(cells.visits, 0) as visits, cells.visits is null as deleted_flag
from touched
left join cells on touched.event_date = cells.event_date and touched.practitioner_id = cells.practitioner_id
