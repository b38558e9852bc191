-- Grain: one row per referral, whatever the status of its visit.
{{ config(unique_key='encounter_id', partition_by='year(event_date)') }}

with touched as (
  {{ touched_visits('referrals_flag') }}
),

referrals as (
  select
    visit.*,
    referral.* exclude (encounter_id)
  from touched
  inner join {{ rows_of(ref('int_encounters__placed'), 'encounter_id', 'touched') }} as visit
    on touched.encounter_id = visit.encounter_id
  inner join {{ ref('int_referrals__requested') }} as referral on visit.encounter_id = referral.encounter_id
)

select
  touched.encounter_id,
  referral.service_request_id,
  {{ fact_place('referral') }},
  referral.financing_source,
  referral.referral_number,
  referral.kind,
  referral.service_code,
  referral.target_organisation_id,
  referral.target_specialty_code,
  referral.icd10_code,
  referral.icd10_chapter,
  referral.priority,
  referral.status,
  referral.requested_at,
  referral.valid_until,
  referral.revoked_at,
  referral.revoke_reason,
  cast(1 as integer) as referrals,
  cast(referral.status = 'active' as integer) as active,
  cast(referral.status = 'completed' as integer) as completed,
  cast(referral.status = 'revoked' as integer) as revoked,
  cast(referral.priority = 'urgent' as integer) as urgent,
  referral.service_request_id is null as deleted_flag
from touched
left join referrals as referral on touched.encounter_id = referral.encounter_id
