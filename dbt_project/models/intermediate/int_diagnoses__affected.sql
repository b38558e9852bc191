-- Grain: one row per visit and image that the diagnoses which the batch can move are read with: the affected visits, and the
-- person's other visits of the same year, because a disease counts on its first diagnosis of the year.
-- moved_flag: the visit's own diagnoses can move. Of the other visits those that share a category of ICD-10 with an affected
-- one, as it is or as it was; all of them where a code has changed its category.
with touched as (
  select
    affected.*,
    person.person_id,
    year(affected.event_date) as event_year
  from {{ ref('int_encounters__touched') }} as affected
  left join {{ ref('int_patients__persons') }} as person on affected.patient_id = person.patient_id
),

person_years as (
  select distinct
    person_id,
    event_year
  from touched
  where person_id is not null
),

others as (
  select
    person_years.*,
    visit.encounter_id,
    visit.event_date,
    visit.owner_organisation_id,
    visit.practitioner_id
  from person_years
  inner join {{ ref('int_patients__persons') }} as record on person_years.person_id = record.person_id
  inner join {{ ref('stg_operational__encounter') }} as visit
    on record.patient_id = visit.patient_id and person_years.event_year = year(visit.event_date)
),

named as (
  select encounter_id
  from touched
  union
  select encounter_id
  from others
),

diagnosed as (
  select
    diagnosis.encounter_id,
    diagnosis.icd10_code
  from {{ rows_of(ref('stg_operational__condition'), 'encounter_id', 'named') }} as diagnosis
  union
  select
    {{ image('encounter_id', 'bigint', 'old') }},
    {{ image('icd10_code', side='old') }}
  from ({{ entries_of('condition') }}) as batch
  where old_row is not null
),

diseases as (
  select distinct
    diagnosed.encounter_id,
    coalesce(code.category_code, diagnosed.icd10_code) as category
  from diagnosed
  left join {{ ref('dim_icd10') }} as code on diagnosed.icd10_code = code.icd10_code
),

moved as (
  select distinct
    touched.person_id,
    touched.event_year,
    diseases.category
  from touched
  inner join diseases on touched.encounter_id = diseases.encounter_id
),

sharing as (
  select distinct others.encounter_id
  from others
  inner join diseases on others.encounter_id = diseases.encounter_id
  inner join moved
    on
      others.person_id = moved.person_id
      and others.event_year = moved.event_year
      and diseases.category = moved.category
),

codes as (
  select count(*) as moved_codes
  from ({{ entries_of('icd10') }}) as batch
  where {{ touches(['level', 'parent_code']) }}
)

select
  encounter_id,
  event_date,
  owner_organisation_id,
  practitioner_id,
  bool_or(moved_flag) as moved_flag
from (
  select
    encounter_id,
    event_date,
    owner_organisation_id,
    practitioner_id,
    true as moved_flag
  from touched
  union all
  select
    others.encounter_id,
    others.event_date,
    others.owner_organisation_id,
    others.practitioner_id,
    sharing.encounter_id is not null or codes.moved_codes > 0 as moved_flag
  from others
  left join sharing on others.encounter_id = sharing.encounter_id
  cross join codes
) as images
group by all
