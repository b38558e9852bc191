-- Grain: one row per imaging study that is matched to a person and not voided.
{{ config(unique_key='imaging_study_id', partition_by='year(event_date)') }}

select
  * exclude (deleted_flag),
  order_id is not null as has_order_flag,
  cast(case
    when started_at >= ordered_at then date_diff('second', ordered_at, started_at) / 3600
  end as decimal(10, 2)) as waiting_hours,
  cast(1 as integer) as studies,
  cast(coalesce(started_at >= ordered_at, false) as integer) as timed,
  deleted_flag
from {{ ref('int_imaging_studies__placed') }}
