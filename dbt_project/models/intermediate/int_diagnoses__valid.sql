-- Grain: one row per diagnosis that is not voided, of the visits that the batch can move, with its place in ICD-10.
{{ config(materialized='ephemeral') }}

select
  diagnosis.condition_id,
  diagnosis.encounter_id,
  diagnosis.icd10_code,
  diagnosis.rank as diagnosis_rank,
  diagnosis.verification,
  diagnosis.character,
  diagnosis.first_in_life_flag,
  diagnosis.injury_type,
  diagnosis.recorded_at,
  {{ local_date('diagnosis.recorded_at') }} as diagnosis_date,
  code.category_code as icd10_category,
  code.block_code as icd10_block,
  code.chapter_code as icd10_chapter,
  code.chronic_group,
  code.form12_row,
  coalesce(code.injury_flag, false) as injury_flag
from {{ rows_of(ref('stg_operational__condition'), 'encounter_id', ref('int_diagnoses__affected')) }} as diagnosis
left join {{ ref('dim_icd10') }} as code on diagnosis.icd10_code = code.icd10_code
where diagnosis.voided_at is null
