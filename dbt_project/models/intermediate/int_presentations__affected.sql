-- Grain: one row per presentation to an admission department and image (as it is, and as it was before the batch) that
-- the batch can move.
{{ config(materialized='ephemeral') }}

with moved_codes as materialized (
  select icd10_code
  from {{ ref('int_icd10__moved') }}
),

posts as materialized (
  {{ changed_posts() }}
),

named as (
  select key as presentation_id
  from ({{ entries_of('hospital_presentation') }}) as batch
  union
  select presentation_id
  from {{ ref('int_stays__affected') }}
  where affected_xid > {{ from_xid() }}
  union
  select arrival.hospital_presentation_id
  from {{ ref('stg_operational__hospital_presentation') }} as arrival
  inner join {{ ref('int_patients__affected') }} as affected
    on
      arrival.patient_id = affected.patient_id
      and arrival.event_date >= affected.changed_from
      and arrival.event_date < affected.changed_to
  where affected.affected_xid > {{ from_xid() }}
  union
  select arrival.hospital_presentation_id
  from {{ ref('stg_operational__hospital_presentation') }} as arrival
  inner join {{ ref('int_organisations__affected') }} as affected
    on
      arrival.owner_organisation_id = affected.organisation_id
      and arrival.event_date >= affected.changed_from
      and arrival.event_date < affected.changed_to
  where affected.affected_xid > {{ from_xid() }}
  union
  select arrival.hospital_presentation_id
  from posts
  inner join {{ ref('stg_operational__hospital_presentation') }} as arrival
    on posts.practitioner_id = arrival.practitioner_id
  union
  select arrival.hospital_presentation_id
  from moved_codes
  inner join {{ ref('stg_operational__hospital_presentation') }} as arrival
    on moved_codes.icd10_code = arrival.icd10_code
)

select
  named.presentation_id,
  arrival.event_date,
  arrival.owner_organisation_id
from named
left join {{ ref('stg_operational__hospital_presentation') }} as arrival
  on named.presentation_id = arrival.hospital_presentation_id
where named.presentation_id is not null
union
select
  key,
  {{ local_date(image('arrived_at', 'timestamptz', 'old')) }},
  {{ image('owner_organisation_id', 'bigint', 'old') }}
from ({{ entries_of('hospital_presentation') }}) as batch
where old_row is not null
