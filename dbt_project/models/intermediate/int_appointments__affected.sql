-- Grain: one row per booking and image (as it is, and as it was before the batch) that the batch can move.
-- affected_xid lets a reader leave out what an earlier pass left here.
with named as (
  select
    key as appointment_id,
    xid
  from ({{ entries_of('appointment') }}) as batch
  union all
  select
    unnest([{{ image('appointment_id', 'bigint') }}, {{ image('appointment_id', 'bigint', 'old') }}]),
    xid
  from ({{ entries_of('encounter') }}) as batch
  where {{ touches(['appointment_id', 'voided_at']) }}
  union all
  select
    booking.appointment_id,
    referral.xid
  from {{ ref('stg_operational__appointment') }} as booking
  inner join ({{ entries_of('service_request') }}) as referral on booking.service_request_id = referral.key
  where {{ touches(['number']) }}
  union all
  select
    booking.appointment_id,
    affected.affected_xid
  from {{ ref('stg_operational__appointment') }} as booking
  inner join {{ ref('int_patients__affected') }} as affected
    on
      booking.patient_id = affected.patient_id
      and booking.event_date >= affected.changed_from
      and booking.event_date < affected.changed_to
  where affected.affected_xid > {{ from_xid() }}
  union all
  select
    booking.appointment_id,
    affected.affected_xid
  from {{ ref('stg_operational__appointment') }} as booking
  inner join {{ ref('int_organisations__affected') }} as affected
    on
      booking.owner_organisation_id = affected.organisation_id
      and booking.event_date >= affected.changed_from
      and booking.event_date < affected.changed_to
  where affected.affected_xid > {{ from_xid() }}
  union all
  select
    booking.appointment_id,
    post.xid
  from {{ ref('stg_operational__appointment') }} as booking
  inner join ({{ entries_of('practitioner_role') }}) as post on booking.practitioner_role_id = post.key
  where {{ touches(['specialty_code', 'position_code']) }}
),

images as (
  select
    named.appointment_id,
    booking.event_date,
    booking.owner_organisation_id,
    booking.practitioner_id,
    named.xid
  from named
  left join {{ rows_of(ref('stg_operational__appointment'), 'appointment_id', 'named') }} as booking
    on named.appointment_id = booking.appointment_id
  where named.appointment_id is not null
  union all
  select
    key,
    {{ local_date(image('starts_at', 'timestamptz', 'old')) }},
    {{ image('owner_organisation_id', 'bigint', 'old') }},
    {{ image('practitioner_id', 'bigint', 'old') }},
    xid
  from ({{ entries_of('appointment') }}) as batch
  where old_row is not null
)

select
  appointment_id,
  event_date,
  owner_organisation_id,
  practitioner_id,
  max(xid) as affected_xid
from images
group by all
