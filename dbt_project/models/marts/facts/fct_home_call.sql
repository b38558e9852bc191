-- Grain: one row per call to a patient's home, or active, that is not voided; cancelled ones included.
{{ config(unique_key='home_call_id', partition_by='year(event_date)') }}

select
  * exclude (deleted_flag),
  {{ local_date('performed_at') }} as performed_date,
  case when status = 'cancelled' then event_date else coalesce({{ local_date('performed_at') }}, date '9999-12-31') end
    as open_until,
  cast(date_diff('second', called_at, performed_at) / 3600 as decimal(10, 2)) as waiting_hours,
  cast(1 as integer) as calls,
  cast(coalesce(status = 'done', false) as integer) as done,
  cast(coalesce(status = 'not_found', false) as integer) as not_found,
  cast(coalesce(status = 'cancelled', false) as integer) as cancelled,
  cast(coalesce(status in ('registered', 'assigned'), false) as integer) as open_calls,
  cast(coalesce(performed_at > due_at, false) as integer) as late,
  deleted_flag
from {{ ref('int_home_calls__placed') }}
