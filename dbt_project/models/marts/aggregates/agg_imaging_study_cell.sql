-- Grain: one row per day, organisation and combination of the listed dimensions; imaging studies and their persons.
{{ config(unique_key=['event_date', 'owner_organisation_id'], partition_by='year(event_date)') }}

with touched as (
  {{ touched_cells(ref('int_imaging_studies__affected'), recent=true) }}
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
    fact.practitioner_id,
    fact.attachment_organisation_id,
    fact.age_group,
    fact.sex,
    fact.urban_flag,
    fact.modality,
    fact.body_part,
    fact.priority,
    fact.has_order_flag,
    cast(sum(fact.studies) as bigint) as studies,
    cast(sum(fact.series) as bigint) as series,
    cast(sum(fact.instances) as bigint) as instances,
    cast(sum(fact.timed) as bigint) as timed,
    cast(sum(fact.waiting_hours) as decimal(18, 2)) as waiting_hours,
    list_sort(list(distinct fact.patient_no)) as persons
  from touched
  inner join {{ ref('fct_imaging_study') }} as fact
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
