-- Grain: one row per presentation that the batch touches and that is not voided, with its place and the stay that came
-- of it.
{{ config(materialized='ephemeral') }}

with touched as (
  select distinct presentation_id
  from {{ ref('int_presentations__affected') }}
),

stays as (
  select
    stay.presentation_id,
    max(stay.hospital_stay_id) as stay_id,
    arg_min(movement.bed_profile, (movement.started_at, movement.ward_movement_id)) as bed_profile
  from touched
  inner join {{ ref('stg_operational__hospital_stay') }} as stay on touched.presentation_id = stay.presentation_id
  left join {{ ref('stg_operational__ward_movement') }} as movement
    on stay.hospital_stay_id = movement.stay_id and movement.voided_at is null
  where stay.voided_at is null
  group by stay.presentation_id
),

arrivals as (
  select
    arrival.*,
    stays.stay_id,
    stays.bed_profile,
    {{ role_at('arrival.practitioner_id', 'arrival.owner_organisation_id', 'arrival.event_date', 'arrival.department_id') }}
      as practitioner_role_id
  from touched
  inner join {{ ref('stg_operational__hospital_presentation') }} as arrival
    on touched.presentation_id = arrival.hospital_presentation_id
  left join stays on touched.presentation_id = stays.presentation_id
  where arrival.voided_at is null
)

select
  arrival.hospital_presentation_id as presentation_id,
  {{ place_columns('arrival', 'arrived_at', person=true) }},
  arrival.admission_type,
  arrival.arrival_channel,
  arrival.referring_organisation_id,
  arrival.service_request_id,
  arrival.triage_zone,
  arrival.arrived_at,
  arrival.seen_at,
  arrival.decided_at,
  arrival.decision,
  arrival.refusal_reason,
  arrival.target_organisation_id,
  arrival.icd10_code,
  arrival.stay_id,
  arrival.bed_profile,
  code.block_code as icd10_block,
  code.chapter_code as icd10_chapter,
  coalesce({{ local_date('arrival.decided_at') }}, date '9999-12-31') as decided_date
from arrivals as arrival
left join {{ ref('dim_icd10') }} as code on arrival.icd10_code = code.icd10_code
{{ place_joins('arrival', person='arrivals') }}
