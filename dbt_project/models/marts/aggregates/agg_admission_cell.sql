-- Grain: one row per day of admission, organisation and combination of the listed dimensions; stays and their persons.
{{ config(unique_key=['event_date', 'owner_organisation_id'], partition_by='year(event_date)') }}

{% call replaced_cells(
  touched_cells(ref('int_stays__affected'), recent=true, day='admitted_date', named='event_date'), ref('fct_hospital_stay')
) %}
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
{% endcall %}
