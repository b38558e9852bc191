-- Grain: one row per slot that the batch touches, with its place and how many of its seats are taken.
{{ config(materialized='ephemeral') }}

with touched as (
  select distinct slot_id
  from {{ ref('int_slots__affected') }}
),

pieces as (
  select
    piece.slot_id,
    piece.schedule_id,
    piece.event_date,
    piece.owner_organisation_id,
    piece.practitioner_id,
    plan.practitioner_role_id,
    plan.department_id,
    piece.room_id,
    piece.starts_at,
    piece.ends_at,
    piece.capacity,
    piece.blocked_at is not null as blocked_flag,
    piece.cancelled_at is not null or plan.cancelled_at is not null as cancelled_flag
  from touched
  inner join {{ ref('stg_operational__slot') }} as piece on touched.slot_id = piece.slot_id
  left join {{ ref('stg_operational__schedule') }} as plan on piece.schedule_id = plan.schedule_id
),

seats as (
  select
    booking.slot_id,
    count(*) filter (where booking.status <> 'cancelled') as booked,
    count(*) filter (where booking.status in ('arrived', 'fulfilled')) as attended
  from touched
  inner join {{ ref('stg_operational__appointment') }} as booking on touched.slot_id = booking.slot_id
  group by booking.slot_id
)

select
  touched.slot_id,
  {{ place_columns('piece', 'starts_at', person=false) }},
  piece.schedule_id,
  piece.room_id,
  piece.starts_at,
  piece.ends_at,
  piece.capacity,
  piece.blocked_flag,
  piece.cancelled_flag,
  coalesce(seats.booked, 0) as booked,
  coalesce(seats.attended, 0) as attended,
  piece.slot_id is null as deleted_flag
from touched
left join pieces as piece on touched.slot_id = piece.slot_id
left join seats on touched.slot_id = seats.slot_id
{{ place_joins('piece', person=false) }}
