-- Grain: one row per visit and image that the batch can move.
{{ config(materialized='ephemeral') }}

select
  encounter_id,
  patient_id,
  event_date,
  owner_organisation_id,
  practitioner_id,
  diagnoses_flag,
  services_flag,
  referrals_flag
from {{ ref('int_encounters__affected') }}
where affected_xid > {{ from_xid() }}
