-- Grain: one row per record of a person, with the person it belongs to: the survivor of its merges, or itself.
{{ config(materialized='ephemeral') }}

select
  record.patient_id,
  record.patient_no,
  survivor.patient_id as person_id,
  survivor.patient_no as person_no,
  survivor.sex,
  survivor.birth_date,
  survivor.urban_flag,
  survivor.death_date,
  survivor.voided_at is not null as voided_flag
from {{ ref('stg_operational__patient') }} as record
inner join {{ ref('stg_operational__patient') }} as survivor
  on survivor.patient_id = coalesce(record.merged_into_id, record.patient_id)
