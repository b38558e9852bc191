-- Grain: one row per day, hour, organisation and combination of the listed dimensions; presentations and their persons.
{{ config(unique_key=['event_date', 'owner_organisation_id'], partition_by='year(event_date)') }}

{% call replaced_cells(touched_cells(ref('int_presentations__affected')), ref('fct_hospital_presentation')) %}
  fact.event_hour,
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
  fact.admission_type,
  fact.arrival_channel,
  fact.referring_organisation_id,
  fact.triage_zone,
  fact.decision,
  fact.refusal_reason,
  fact.bed_profile,
  fact.icd10_chapter,
  cast(sum(fact.presentations) as bigint) as presentations,
  cast(sum(fact.waiting) as bigint) as waiting,
  cast(sum(fact.admitted) as bigint) as admitted,
  cast(sum(fact.refused) as bigint) as refused,
  cast(sum(fact.transferred) as bigint) as transferred,
  cast(sum(fact.left_unseen) as bigint) as left_unseen,
  cast(sum(fact.died) as bigint) as died,
  list_sort(list(distinct fact.patient_no)) as persons
{% endcall %}
