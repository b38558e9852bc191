-- Grain: one row per hospital stay that the batch touches, with its pregnancy, what made it critical, and its place.
-- Diagnoses count in the newest phase that the stay has: final, else clinical, else admission.
{{ config(materialized='ephemeral') }}

with touched as (
  {{ touched_keys(ref('int_maternal_stays__affected'), 'hospital_stay_id') }}
),

stays as (
  select * from {{ ref('int_maternal_stays__joined') }}
),

diagnoses as (
  select
    diagnosis.stay_id,
    diagnosis.icd10_code,
    diagnosis.rank = 'main' as main_flag
  from {{ ref('stg_operational__stay_diagnosis') }} as diagnosis
  inner join stays on diagnosis.stay_id = stays.hospital_stay_id
  where diagnosis.voided_at is null
  qualify dense_rank() over (
    partition by diagnosis.stay_id
    order by case diagnosis.phase when 'final' then 1 when 'clinical' then 2 else 3 end
  ) = 1
),

by_diagnosis as (
  select
    diagnoses.stay_id,
    max(diagnoses.icd10_code) filter (where diagnoses.main_flag) as icd10_code,
    count(*) filter (where critical.critical_reason = 'preeclampsia') > 0 as preeclampsia_flag
  from diagnoses
  left join {{ ref('maternal_critical_codes') }} as critical on starts_with(diagnoses.icd10_code, critical.code)
  group by diagnoses.stay_id
),

measured as (
  select
    sign.stay_id,
    sign.systolic,
    sign.diastolic,
    sign.chills_flag
  from {{ ref('stg_operational__vital_sign') }} as sign
  inner join stays on sign.stay_id = stays.hospital_stay_id
  where sign.voided_at is null
  union all
  select
    stays.hospital_stay_id,
    presentation.systolic,
    presentation.diastolic,
    false
  from stays
  inner join {{ ref('stg_operational__hospital_presentation') }} as presentation
    on stays.presentation_id = presentation.hospital_presentation_id
  where presentation.voided_at is null
),

highest as (
  select
    stay_id,
    max(systolic) as systolic,
    max(diastolic) as diastolic,
    bool_or(chills_flag) as chills_flag
  from measured
  group by stay_id
),

limits as (
  select
    max(at_least) filter (where measure = 'systolic') as systolic,
    max(at_least) filter (where measure = 'diastolic') as diastolic
  from {{ ref('maternal_critical_limits') }}
),

by_sign as (
  select
    highest.*,
    coalesce(highest.systolic >= limits.systolic or highest.diastolic >= limits.diastolic, false) as high_pressure_flag
  from highest
  cross join limits
),

blood as (
  select distinct transfused.stay_id
  from {{ ref('stg_operational__transfusion') }} as transfused
  inner join stays on transfused.stay_id = stays.hospital_stay_id
  where transfused.voided_at is null
),

wards as (
  select
    movement.stay_id,
    arg_max(movement.department_id, (movement.started_at, movement.ward_movement_id)) as department_id,
    count(*) filter (where ward.kind = 'intensive_care') > 0 as icu_flag,
    count(*) filter (where ward.kind = 'intensive_care' and movement.ended_at is null) > 0 as in_icu_flag,
    sum(date_diff('second', movement.started_at, movement.ended_at)) filter (
      where ward.kind = 'intensive_care'
    ) as icu_seconds
  from {{ ref('stg_operational__ward_movement') }} as movement
  inner join stays on movement.stay_id = stays.hospital_stay_id
  inner join {{ ref('stg_operational__department') }} as ward on movement.department_id = ward.department_id
  where movement.voided_at is null
  group by movement.stay_id
),

deliveries as (
  select
    newborn.pregnancy_id,
    min(newborn.delivery_date) as delivery_date
  from {{ ref('stg_operational__birth') }} as newborn
  inner join stays on newborn.pregnancy_id = stays.pregnancy_id
  where newborn.voided_at is null
  group by newborn.pregnancy_id
),

described as (
  select
    stays.*,
    wards.department_id,
    by_diagnosis.icd10_code,
    deliveries.delivery_date,
    by_sign.systolic,
    by_sign.diastolic,
    coalesce(by_diagnosis.preeclampsia_flag, false) as preeclampsia_flag,
    coalesce(by_sign.chills_flag, false) as chills_flag,
    coalesce(by_sign.high_pressure_flag, false) as high_pressure_flag,
    blood.stay_id is not null as transfusion_flag,
    coalesce(wards.icu_flag, false) as icu_flag,
    coalesce(wards.in_icu_flag and stays.discharged_at is null, false) as in_icu_flag,
    wards.icu_seconds
  from stays
  left join by_diagnosis on stays.hospital_stay_id = by_diagnosis.stay_id
  left join by_sign on stays.hospital_stay_id = by_sign.stay_id
  left join blood on stays.hospital_stay_id = blood.stay_id
  left join wards on stays.hospital_stay_id = wards.stay_id
  left join deliveries on stays.pregnancy_id = deliveries.pregnancy_id
)

select
  touched.hospital_stay_id,
  {{ place_columns('stay', 'admitted_at', person=true, post=false) }},
  stay.case_number,
  stay.admission_type,
  stay.arrival_channel,
  stay.condition,
  stay.admitted_at,
  stay.discharged_at,
  stay.outcome,
  stay.icd10_code,
  stay.pregnancy_id,
  stay.leading_organisation_id,
  stay.registered_on,
  stay.last_menstrual_date,
  stay.expected_delivery_date,
  stay.para,
  stay.risk_group,
  stay.phase,
  stay.ended_on,
  stay.delivery_date,
  stay.systolic,
  stay.diastolic,
  stay.preeclampsia_flag,
  stay.chills_flag,
  stay.high_pressure_flag,
  stay.transfusion_flag,
  stay.icu_flag,
  stay.in_icu_flag,
  stay.icu_seconds,
  stay.hospital_stay_id is null as deleted_flag
from touched
left join described as stay on touched.hospital_stay_id = stay.hospital_stay_id
{{ place_joins('stay', person='described', post=false) }}
