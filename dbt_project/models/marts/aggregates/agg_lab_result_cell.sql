-- Grain: one row per day, organisation and combination of the listed dimensions; laboratory values and their persons.
{{ config(unique_key=['event_date', 'owner_organisation_id'], partition_by='year(event_date)') }}

{% call replaced_cells(touched_cells(ref('int_lab_results__affected'), recent=true), ref('fct_lab_result')) %}
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
{% endcall %}
