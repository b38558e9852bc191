-- Grain: one row per visit of a pregnant woman that is not voided, nor its pregnancy.
{{ config(unique_key='pregnancy_visit_id', partition_by='year(event_date)') }}

select
  * exclude (deleted_flag),
  cast(floor(gestation_days / 7) as integer) as gestation_weeks,
  {{ trimester('gestation_days') }} as trimester,
  {{ parity_group('para') }} as parity_group,
  visit_no is not null as planned_flag,
  cast(1 as integer) as visits,
  cast(visit_no is not null as integer) as planned,
  cast(coalesce(place = 'home', false) as integer) as at_home,
  deleted_flag
from {{ ref('int_pregnancy_visits__placed') }}
