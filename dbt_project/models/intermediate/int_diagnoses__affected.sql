-- Grain: one row per visit and image that the diagnoses which the batch can move are read with: the affected visits, and the
-- person's other visits of the same year, because a disease counts on its first diagnosis of the year.
-- moved_flag: the visit's own diagnoses can move. Of the other visits those that share a category of ICD-10 with an affected
-- one, as it is or as it was; all of them where a code has changed its category, and where an affected visit has left the
-- person or the year: the diagnoses that it had there may come in another batch than the visit (a late transaction).
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
  where person_id is not null and diagnoses_flag
),

records as (
  select
    person_years.*,
    record.patient_id
  from person_years
  inner join {{ ref('int_patients__persons') }} as record on person_years.person_id = record.person_id
),

others as (
  select
    records.person_id,
    records.event_year,
    visit.encounter_id,
    visit.event_date,
    visit.owner_organisation_id,
    visit.practitioner_id
  from records
  inner join {{ rows_of(ref('stg_operational__encounter'), 'patient_id', 'records') }} as visit
    on records.patient_id = visit.patient_id and records.event_year = year(visit.event_date)
),

left_years as (
  select distinct
    touched.person_id,
    touched.event_year
  from touched
  left join others
    on
      touched.encounter_id = others.encounter_id
      and touched.person_id = others.person_id
      and touched.event_year = others.event_year
  where others.encounter_id is null and touched.diagnoses_flag
),

images as (
  select
    * exclude (patient_id, diagnoses_flag, services_flag, referrals_flag),
    diagnoses_flag as touched_flag
  from touched
  union all by name
  select
    *,
    false as touched_flag
  from others
),

diagnosed as (
  select
    diagnosis.encounter_id,
    diagnosis.icd10_code
  from {{ rows_of(ref('stg_operational__condition'), 'encounter_id', 'images') }} as diagnosis
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

-- A window and no join of visits with each other, which DuckDB would begin with the categories in a rebuild.
sharing as (
  select distinct encounter_id
  from (
    select
      images.encounter_id,
      bool_or(images.touched_flag) over (
        partition by images.person_id, images.event_year, diseases.category
      ) as shared_flag
    from images
    inner join diseases on images.encounter_id = diseases.encounter_id
    where images.person_id is not null
  ) as diseases_of_a_year
  where shared_flag
),

codes as (
  select count(*) as moved_codes
  from ({{ entries_of('icd10') }}) as batch
  where {{ touches(['level', 'parent_code']) }}
)

select
  images.encounter_id,
  images.event_date,
  images.owner_organisation_id,
  images.practitioner_id,
  bool_or(
    images.touched_flag
    or sharing.encounter_id is not null
    or left_years.event_year is not null
    or codes.moved_codes > 0
  ) as moved_flag
from images
left join sharing on images.encounter_id = sharing.encounter_id
left join left_years on images.person_id = left_years.person_id and images.event_year = left_years.event_year
cross join codes
group by all
