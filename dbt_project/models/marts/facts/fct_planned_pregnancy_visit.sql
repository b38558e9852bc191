-- Grain: one row per planned examination of a pregnancy; replaced together with the others of the pregnancy.
-- From missed_from until missed_until it is missed: the last day has passed, nobody came, the pregnancy goes on.
{{ config(unique_key='pregnancy_id', partition_by='year(event_date)') }}

select
  * exclude (deleted_flag),
  due_to + 1 as missed_from,
  least(
    coalesce(visited_date, date '9999-12-31'), coalesce(ended_on, date '9999-12-31')
  ) as missed_until,
  {{ parity_group('para') }} as parity_group,
  case when missed_in_a_row >= 3 then '3' else cast(missed_in_a_row as varchar) end as missed_in_a_row_band,
  cast(1 as integer) as examinations,
  cast(visited_date is not null as integer) as held,
  cast(coalesce(visited_date > due_to, false) as integer) as held_late,
  deleted_flag
from {{ ref('int_pregnancies__planned') }}
