-- Grain: one row per day of admission, organisation and combination of the listed dimensions; stays and their persons.
{{ config(unique_key=['event_date', 'owner_organisation_id'], partition_by='year(event_date)') }}

with touched as (
  select distinct
    admitted_date as event_date,
    owner_organisation_id
  from {{ ref('int_stays__affected') }}
  where
    admitted_date is not null
    and owner_organisation_id is not null
    and affected_xid > {{ from_xid() }}
),

cells as (
  select
    fact.event_date,
    fact.owner_organisation_id,
    fact.region_id,
    fact.district_id,
    fact.department_id,
    fact.site_id,
    fact.site_doctor_id,
    fact.attachment_organisation_id,
    fact.age_group,
    fact.sex,
    fact.urban_flag,
    fact.practitioner_id,
    fact.specialty_code,
    fact.financing_source,
    fact.admission_type,
    fact.hospital_kind,
    fact.arrival_channel,
    fact.referring_organisation_id,
    fact.first_bed_profile,
    fact.main_icd10_chapter,
    fact.main_icd10_block,
    fact.operated_flag,
    fact.icu_flag,
    fact.outcome,
    cast(sum(fact.stays) as bigint) as stays,
    cast(sum(fact.planned) as bigint) as planned,
    cast(sum(fact.emergency) as bigint) as emergency,
    cast(sum(fact.open_stays) as bigint) as open_stays,
    cast(sum(fact.transferred) as bigint) as transferred,
    cast(sum(fact.operated) as bigint) as operated,
    cast(sum(fact.icu_stays) as bigint) as icu_stays,
    list_sort(list(distinct fact.patient_no)) as persons
  from touched
  inner join {{ ref('fct_hospital_stay') }} as fact
    on touched.event_date = fact.event_date and touched.owner_organisation_id = fact.owner_organisation_id
  group by all
)

select
  touched.event_date,
  touched.owner_organisation_id,
  cells.* exclude (event_date, owner_organisation_id),
  cells.event_date is null as deleted_flag
from touched
left join cells
  on touched.event_date = cells.event_date and touched.owner_organisation_id = cells.owner_organisation_id
