-- Grain: one row per hospital stay that is not voided, open or ended.
-- event_date is the day of admission; discharged_date is the day of the end. Age, residence and attachment are those of
-- the admission.
{{ config(unique_key='stay_id', partition_by='year(event_date)') }}

with stays as (
  select
    stay.*,
    diagnosis.* exclude (stay_id),
    code.category_code as main_icd10_category,
    code.block_code as main_icd10_block,
    code.chapter_code as main_icd10_chapter,
    cause.chapter_code as underlying_icd10_chapter,
    case
      when stay.hospital_kind = 'day' or stay.discharged_date = stay.event_date
        then stay.discharged_date - stay.event_date + 1
      else stay.discharged_date - stay.event_date
    end as bed_days,
    date_diff('minute', stay.admitted_at, stay.died_at) as minutes_to_death
  from {{ ref('int_stays__placed') }} as stay
  left join {{ ref('int_stays__diagnosed') }} as diagnosis on stay.stay_id = diagnosis.stay_id
  left join {{ ref('dim_icd10') }} as code on diagnosis.main_icd10_code = code.icd10_code
  left join {{ ref('dim_icd10') }} as cause on stay.underlying_icd10_code = cause.icd10_code
)

select
  touched.stay_id,
  {{ fact_place('stay') }},
  stay.financing_source,
  stay.presentation_id,
  stay.service_request_id,
  stay.case_number,
  stay.admission_type,
  stay.hospital_kind,
  stay.arrival_channel,
  stay.referring_organisation_id,
  stay.condition,
  stay.admitted_at,
  stay.discharged_at,
  stay.discharged_date,
  stay.left_date,
  stay.discharge_region_id,
  stay.discharge_district_id,
  stay.last_department_id,
  stay.first_bed_profile,
  stay.last_bed_profile,
  stay.outcome,
  stay.treatment_result,
  stay.target_organisation_id,
  stay.signed_flag,
  stay.main_icd10_code,
  stay.main_icd10_category,
  stay.main_icd10_block,
  stay.main_icd10_chapter,
  stay.admission_icd10_code,
  stay.clinical_icd10_code,
  stay.final_icd10_code,
  cast(stay.bed_days as integer) as bed_days,
  stay.movements_count,
  stay.operations_count,
  stay.transfusions_count,
  stay.operated_flag,
  stay.icu_flag,
  stay.death_id,
  stay.died_at,
  cast(stay.minutes_to_death // 60 as integer) as hours_to_death,
  case when stay.outcome is not null then coalesce(stay.minutes_to_death < 24 * 60, false) end as died_within_24h_flag,
  stay.underlying_icd10_code,
  stay.underlying_icd10_chapter,
  stay.immediate_icd10_code,
  stay.autopsy_flag,
  cast(1 as integer) as stays,
  cast(stay.admission_type = 'planned' as integer) as planned,
  cast(stay.admission_type = 'emergency' as integer) as emergency,
  cast(stay.outcome is null as integer) as open_stays,
  cast(stay.outcome is not null as integer) as left_hospital,
  cast(coalesce(stay.outcome = 'transferred', false) as integer) as transferred,
  cast(coalesce(stay.outcome = 'died', false) as integer) as deaths,
  cast(coalesce(stay.outcome = 'died' and stay.minutes_to_death < 24 * 60, false) as integer) as deaths_within_24h,
  cast(stay.operated_flag as integer) as operated,
  cast(stay.icu_flag as integer) as icu_stays,
  stay.stay_id is null as deleted_flag
from {{ ref('int_stays__touched') }} as touched
left join stays as stay on touched.stay_id = stay.stay_id
