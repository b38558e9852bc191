-- Grain: one row per day, organisation and combination of the listed dimensions; imaging studies and their persons.
{{ config(unique_key=['event_date', 'owner_organisation_id'], partition_by='year(event_date)') }}

{% call replaced_cells(touched_cells(ref('int_imaging_studies__affected'), recent=true), ref('fct_imaging_study')) %}
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
{% endcall %}
