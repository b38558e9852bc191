-- Grain: one row per day, organisation and combination of the listed dimensions; laboratory values and their persons.
{{ config(unique_key=['event_date', 'owner_organisation_id'], partition_by='year(event_date)') }}

with touched as (
  {{ touched_cells(ref('int_lab_results__affected'), recent=true) }}
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
    fact.test_code,
    fact.interpretation,
    fact.status,
    fact.result_source,
    fact.priority,
    fact.abnormal_flag,
    fact.critical_flag,
    cast(sum(fact.results) as bigint) as results,
    cast(sum(fact.abnormal) as bigint) as abnormal,
    cast(sum(fact.critical) as bigint) as critical,
    cast(sum(fact.by_device) as bigint) as by_device,
    cast(sum(fact.corrected) as bigint) as corrected,
    cast(sum(fact.timed) as bigint) as timed,
    cast(sum(fact.turnaround_hours) as decimal(18, 2)) as turnaround_hours,
    list_sort(list(distinct fact.patient_no)) as persons
  from touched
  inner join {{ ref('fct_lab_result') }} as fact
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
