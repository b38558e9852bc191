-- Grain: one row per day, organisation and combination of the listed dimensions; home calls and their persons.
{{ config(unique_key=['event_date', 'owner_organisation_id'], partition_by='year(event_date)') }}

{% call replaced_cells(touched_cells(ref('int_home_calls__affected'), recent=true), ref('fct_home_call')) %}
  fact.event_hour,
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
  fact.kind,
  fact.source,
  fact.urgency,
  fact.status,
  fact.cancel_reason,
  cast(sum(fact.calls) as bigint) as calls,
  cast(sum(fact.done) as bigint) as done,
  cast(sum(fact.not_found) as bigint) as not_found,
  cast(sum(fact.cancelled) as bigint) as cancelled,
  cast(sum(fact.open_calls) as bigint) as open_calls,
  cast(sum(fact.late) as bigint) as late,
  list_sort(list(distinct fact.patient_no)) as persons
{% endcall %}
