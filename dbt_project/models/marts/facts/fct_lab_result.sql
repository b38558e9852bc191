-- Grain: one row per value of a laboratory report that is not voided; a correction changes the value in its row.
{{ config(unique_key='lab_result_id', partition_by='year(event_date)') }}

select
  * exclude (deleted_flag),
  coalesce(interpretation <> 'N', false) as abnormal_flag,
  coalesce(interpretation in ('LL', 'HH'), false) as critical_flag,
  coalesce(issued_at < ordered_at, false) as issued_before_order_flag,
  cast(case
    when issued_at >= ordered_at then date_diff('second', ordered_at, issued_at) / 3600
  end as decimal(10, 2)) as turnaround_hours,
  cast(1 as integer) as results,
  cast(coalesce(interpretation <> 'N', false) as integer) as abnormal,
  cast(coalesce(interpretation in ('LL', 'HH'), false) as integer) as critical,
  cast(coalesce(result_source = 'device', false) as integer) as by_device,
  cast(coalesce(status = 'corrected', false) as integer) as corrected,
  cast(coalesce(issued_at >= ordered_at, false) as integer) as timed,
  deleted_flag
from {{ ref('int_lab_results__placed') }}
