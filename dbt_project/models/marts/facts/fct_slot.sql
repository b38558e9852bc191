-- Grain: one row per slot of a schedule, blocked and cancelled ones included.
{{ config(unique_key='slot_id', partition_by='year(event_date)') }}

select
  * exclude (capacity, booked, attended, blocked_flag, cancelled_flag, deleted_flag),
  blocked_flag,
  cancelled_flag,
  not blocked_flag and not cancelled_flag as offered_flag,
  cast(1 as integer) as slots,
  capacity,
  case when blocked_flag or cancelled_flag then 0 else capacity end as offered,
  cast(booked as integer) as booked,
  case when blocked_flag or cancelled_flag then 0 else cast(greatest(capacity - booked, 0) as integer) end as free,
  cast(attended as integer) as attended,
  deleted_flag
from {{ ref('int_slots__placed') }}
