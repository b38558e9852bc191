-- Grain: one row per visit and image whose diagnoses the batch can move: the affected visits, and the person's other
-- visits of the same year, because a chronic disease counts on its first diagnosis of the year.
with person_years as (
  select distinct
    person.person_id,
    year(affected.event_date) as event_year
  from {{ ref('int_encounters__touched') }} as affected
  inner join {{ ref('int_patients__persons') }} as person on affected.patient_id = person.patient_id
)

select
  encounter_id,
  event_date,
  owner_organisation_id,
  practitioner_id
from {{ ref('int_encounters__touched') }}
union
select
  visit.encounter_id,
  visit.event_date,
  visit.owner_organisation_id,
  visit.practitioner_id
from person_years
inner join {{ ref('int_patients__persons') }} as record on person_years.person_id = record.person_id
inner join {{ ref('stg_operational__encounter') }} as visit
  on record.patient_id = visit.patient_id and person_years.event_year = year(visit.event_date)
