-- Grain: one row per finished visit that is not voided.
{{ config(unique_key='encounter_id', partition_by='year(event_date)') }}

with touched as (
  {{ touched_visits() }}
),

diagnoses as (
  select
    diagnosis.encounter_id,
    any_value({
      'code': diagnosis.icd10_code, 'category': diagnosis.icd10_category, 'block': diagnosis.icd10_block,
      'chapter': diagnosis.icd10_chapter, 'character': diagnosis.character
    }) filter (where diagnosis.diagnosis_rank = 'main') as main,
    count(*) filter (where diagnosis.verification = 'final') as diagnoses_count
  from {{ ref('int_diagnoses__valid') }} as diagnosis
  inner join touched on diagnosis.encounter_id = touched.encounter_id
  group by diagnosis.encounter_id
),

services as (
  select
    service.encounter_id,
    count(*) as services_count,
    sum(service.amount_kzt) as amount_kzt
  from {{ ref('int_services__valid') }} as service
  inner join touched on service.encounter_id = touched.encounter_id
  group by service.encounter_id
),

referrals as (
  select distinct referral.encounter_id
  from {{ ref('int_referrals__requested') }} as referral
  inner join touched on referral.encounter_id = touched.encounter_id
),

-- A visit is for disease or preventive by its reason; a reason that the list does not know is told by the main
-- diagnosis: chapter XXI is preventive.
visits as (
  select
    visit.*,
    diagnoses.main,
    coalesce(diagnoses.diagnoses_count, 0) as diagnoses_count,
    coalesce(services.services_count, 0) as services_count,
    coalesce(services.amount_kzt, 0) as amount_kzt,
    referrals.encounter_id is not null as has_referral_flag,
    visit.signed_at is not null as signed_flag,
    visit.place = 'home' as home_flag,
    coalesce(
      reason.reason_kind,
      case when diagnoses.main.chapter = 'XXI' then 'preventive' when diagnoses.main is not null then 'disease' end,
      'other'
    ) as reason_kind
  from touched
  inner join {{ rows_of(ref('int_encounters__placed'), 'encounter_id', 'touched') }} as visit
    on touched.encounter_id = visit.encounter_id
  left join diagnoses on visit.encounter_id = diagnoses.encounter_id
  left join services on visit.encounter_id = services.encounter_id
  left join referrals on visit.encounter_id = referrals.encounter_id
  left join {{ ref('visit_reason_kinds') }} as reason on visit.visit_reason = reason.visit_reason
  where visit.finished_flag
)

select
  touched.encounter_id,
  {{ fact_place('visit') }},
  visit.financing_source,
  visit.appointment_id,
  visit.started_at,
  visit.ended_at,
  cast(date_diff('minute', visit.started_at, visit.ended_at) as integer) as duration_minutes,
  visit.place,
  visit.visit_reason,
  visit.visit_kind,
  visit.insurance_status,
  visit.outcome,
  visit.main.code as main_icd10_code,
  visit.main.category as main_icd10_category,
  visit.main.block as main_icd10_block,
  visit.main.chapter as main_icd10_chapter,
  visit.main.character as main_character,
  visit.signed_at,
  visit.signed_flag,
  visit.reason_kind = 'disease' as disease_flag,
  visit.reason_kind = 'preventive' as preventive_flag,
  visit.home_flag,
  visit.has_referral_flag,
  cast(1 as integer) as visits,
  cast(visit.reason_kind = 'disease' as integer) as disease_visits,
  cast(visit.reason_kind = 'preventive' as integer) as preventive_visits,
  cast(visit.home_flag as integer) as home_visits,
  cast(visit.signed_flag as integer) as signed_visits,
  cast(visit.visit_kind = 'primary' as integer) as primary_visits,
  cast(coalesce(visit.age_years >= 18, false) as integer) as adults,
  cast(coalesce(visit.age_years < 18, false) as integer) as children,
  cast(visit.diagnoses_count as integer) as diagnoses_count,
  cast(visit.services_count as integer) as services_count,
  cast(visit.amount_kzt as decimal(14, 2)) as amount_kzt,
  visit.encounter_id is null as deleted_flag
from touched
left join visits as visit on touched.encounter_id = visit.encounter_id
