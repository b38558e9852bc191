-- Grain: one row per stay that the batch touches and that has a main diagnosis: the final one, else the clinical, else
-- that of admission.
{{ config(materialized='ephemeral') }}

select
  diagnosis.stay_id,
  coalesce(
    max(diagnosis.icd10_code) filter (where diagnosis.phase = 'final'),
    max(diagnosis.icd10_code) filter (where diagnosis.phase = 'clinical'),
    max(diagnosis.icd10_code) filter (where diagnosis.phase = 'admission')
  ) as main_icd10_code,
  max(diagnosis.icd10_code) filter (where diagnosis.phase = 'admission') as admission_icd10_code,
  max(diagnosis.icd10_code) filter (where diagnosis.phase = 'clinical') as clinical_icd10_code,
  max(diagnosis.icd10_code) filter (where diagnosis.phase = 'final') as final_icd10_code
from {{ ref('int_stays__touched') }} as touched
inner join {{ ref('stg_operational__stay_diagnosis') }} as diagnosis on touched.stay_id = diagnosis.stay_id
where diagnosis.voided_at is null and diagnosis.rank = 'main'
group by diagnosis.stay_id
