-- Grain: one row per final diagnosis that is not voided, of a finished visit that is not voided.
-- Replaced by visits: those of the batch, and the person's other visits of the year on which counted_case_flag moves.
{{ config(unique_key='encounter_id', partition_by='year(event_date)') }}

with touched as (
  select
    encounter_id,
    bool_or(moved_flag) as moved_flag
  from {{ ref('int_diagnoses__affected') }}
  group by encounter_id
),

diagnoses as (
  select
    diagnosis.*,
    {{ fact_place('visit') }},
    visit.financing_source,
    visit.started_at,
    visit.visit_reason,
    visit.visit_kind,
    visit.place,
    person.person_id,
    case
      when diagnosis.character in ('chronic_first', 'chronic_known') then 'chronic'
      else diagnosis.character
    end as acute_or_chronic
  from touched
  inner join {{ rows_of(ref('int_encounters__placed'), 'encounter_id', 'touched') }} as visit
    on touched.encounter_id = visit.encounter_id
  inner join {{ ref('int_diagnoses__valid') }} as diagnosis on visit.encounter_id = diagnosis.encounter_id
  left join {{ ref('int_patients__persons') }} as person on visit.patient_no = person.patient_no
  where visit.finished_flag and diagnosis.verification = 'final'
),

ordered as (
  select
    *,
    row_number() over (
      partition by person_id, event_year, coalesce(icd10_category, icd10_code), acute_or_chronic = 'chronic'
      order by started_at, encounter_id, condition_id
    ) as number_in_year
  from diagnoses
),

counted as (
  select
    *,
    number_in_year = 1 or (acute_or_chronic <> 'chronic' and visit_kind = 'primary') as counted_case_flag
  from ordered
)

select
  touched.encounter_id,
  counted.condition_id,
  {{ fact_place('counted') }},
  counted.financing_source,
  counted.visit_reason,
  counted.visit_kind,
  counted.place,
  counted.diagnosis_date,
  counted.recorded_at,
  counted.icd10_code,
  counted.icd10_category,
  counted.icd10_block,
  counted.icd10_chapter,
  counted.diagnosis_rank,
  counted.character,
  counted.acute_or_chronic,
  counted.first_in_life_flag,
  counted.injury_flag,
  counted.injury_type,
  counted.chronic_group,
  counted.form12_row,
  counted.counted_case_flag,
  cast(1 as integer) as diagnoses,
  cast(counted.counted_case_flag as integer) as counted_cases,
  cast(counted.counted_case_flag and counted.first_in_life_flag as integer) as first_in_life,
  cast(counted.injury_flag as integer) as injuries,
  cast(counted.counted_case_flag and counted.sex = 'M' as integer) as male,
  cast(counted.counted_case_flag and counted.sex = 'F' as integer) as female,
  counted.condition_id is null as deleted_flag
from touched
left join counted on touched.encounter_id = counted.encounter_id
where touched.moved_flag
