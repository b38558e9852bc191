-- Grain: one row per referral of the visits that the batch can move, with the class of its diagnosis.
{{ config(materialized='ephemeral') }}

select
  referral.service_request_id,
  referral.encounter_id,
  referral.number as referral_number,
  referral.kind,
  referral.service_code,
  referral.target_organisation_id,
  referral.specialty_code as target_specialty_code,
  referral.icd10_code,
  code.chapter_code as icd10_chapter,
  referral.priority,
  referral.status,
  referral.requested_at,
  referral.valid_until,
  referral.revoked_at,
  referral.revoke_reason
from {{ rows_of(ref('stg_operational__service_request'), 'encounter_id', ref('int_encounters__affected')) }} as referral
left join {{ ref('dim_icd10') }} as code on referral.icd10_code = code.icd10_code
