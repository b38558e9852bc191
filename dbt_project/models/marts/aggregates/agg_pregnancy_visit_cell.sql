-- Grain: one row per day, organisation and combination of the listed dimensions; visits of pregnant women and their persons.
{{ config(unique_key=['event_date', 'owner_organisation_id'], partition_by='year(event_date)') }}

{% call replaced_cells(touched_cells(ref('int_pregnancy_visits__affected'), recent=true), ref('fct_pregnancy_visit')) %}
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
  fact.risk_group,
  fact.trimester,
  fact.parity_group,
  fact.place,
  fact.planned_flag,
  cast(sum(fact.visits) as bigint) as visits,
  cast(sum(fact.planned) as bigint) as planned,
  cast(sum(fact.at_home) as bigint) as at_home,
  list_sort(list(distinct fact.patient_no)) as persons
{% endcall %}
