-- Grain: one row per booking that the batch touches, with where everybody stood on its local date.
{{ config(materialized='ephemeral') }}

with touched as (
  select distinct appointment_id
  from {{ ref('int_appointments__affected') }}
  where affected_xid > {{ from_xid() }}
),

bookings as (
  select booking.*
  from touched
  inner join {{ ref('stg_operational__appointment') }} as booking on touched.appointment_id = booking.appointment_id
),

visits as (
  select
    visit.appointment_id,
    max(visit.encounter_id) as encounter_id
  from {{ ref('stg_operational__encounter') }} as visit
  inner join touched on visit.appointment_id = touched.appointment_id
  where visit.voided_at is null
  group by visit.appointment_id
)

select
  touched.appointment_id,
  {{ place_columns('booking', 'starts_at', person=true) }},
  booking.financing_source,
  booking.slot_id,
  piece.schedule_id,
  booking.seat,
  booking.room_id,
  booking.service_code,
  booking.booking_channel,
  booking.status,
  booking.cancel_reason,
  booking.starts_at,
  booking.ends_at,
  booking.booked_at,
  {{ local_date('booking.booked_at') }} as booked_date,
  booking.booked_by,
  booking.arrived_at,
  booking.cancelled_at,
  booking.service_request_id,
  referral.number as referral_number,
  booking.service_request_id is not null as has_referral_flag,
  visits.encounter_id,
  booking.appointment_id is null as deleted_flag
from touched
left join bookings as booking on touched.appointment_id = booking.appointment_id
left join {{ rows_of(ref('stg_operational__slot'), 'slot_id', 'bookings') }} as piece on booking.slot_id = piece.slot_id
left join {{ ref('stg_operational__service_request') }} as referral
  on booking.service_request_id = referral.service_request_id
left join visits on touched.appointment_id = visits.appointment_id
{{ place_joins('booking', person='bookings') }}
