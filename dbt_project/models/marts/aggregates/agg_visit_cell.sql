-- Grain: one row per day, organisation, doctor and combination of the listed dimensions; visits and their persons.
{{ config(unique_key=['event_date', 'owner_organisation_id', 'practitioner_id'], partition_by='year(event_date)') }}

{% set doctor = ['practitioner_id'] %}
{% set touched = touched_cells(ref('int_encounters__touched'), also=doctor) %}
{% call replaced_cells(touched, ref('fct_visit'), also=doctor) %}
  fact.region_id,
  fact.district_id,
  fact.department_id,
  fact.site_id,
  fact.site_doctor_id,
  fact.specialty_code,
  fact.attachment_organisation_id,
  fact.visit_reason,
  fact.visit_kind,
  fact.place,
  fact.financing_source,
  fact.age_group,
  fact.sex,
  fact.urban_flag,
  fact.main_icd10_chapter,
  fact.disease_flag,
  fact.preventive_flag,
  fact.home_flag,
  cast(sum(fact.visits) as bigint) as visits,
  cast(sum(fact.disease_visits) as bigint) as disease_visits,
  cast(sum(fact.preventive_visits) as bigint) as preventive_visits,
  cast(sum(fact.home_visits) as bigint) as home_visits,
  cast(sum(fact.signed_visits) as bigint) as signed_visits,
  cast(sum(fact.primary_visits) as bigint) as primary_visits,
  cast(sum(fact.adults) as bigint) as adults,
  cast(sum(fact.children) as bigint) as children,
  cast(sum(fact.diagnoses_count) as bigint) as diagnoses_count,
  cast(sum(fact.services_count) as bigint) as services_count,
  cast(sum(fact.amount_kzt) as decimal(14, 2)) as amount_kzt,
  list_sort(list(distinct fact.patient_no)) as persons
{% endcall %}
