-- Grain: one row per day of discharge, organisation and combination of the listed dimensions; ended stays, their persons.
{{ config(unique_key=['discharged_date', 'owner_organisation_id'], partition_by='year(discharged_date)') }}

{% call replaced_cells(
  touched_cells(ref('int_stays__affected'), recent=true, day='discharged_date'), ref('fct_hospital_stay'),
  'discharged_date'
) %}
  fact.discharge_region_id,
  fact.discharge_district_id,
  fact.last_department_id,
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
  fact.last_bed_profile,
  fact.main_icd10_chapter,
  fact.main_icd10_block,
  fact.operated_flag,
  fact.icu_flag,
  fact.outcome,
  fact.died_within_24h_flag,
  cast(sum(fact.left_hospital) as bigint) as left_hospital,
  cast(sum(fact.bed_days) as bigint) as bed_days,
  cast(sum(fact.transferred) as bigint) as transferred,
  cast(sum(fact.deaths) as bigint) as deaths,
  cast(sum(fact.deaths_within_24h) as bigint) as deaths_within_24h,
  cast(sum(fact.operated) as bigint) as operated,
  cast(sum(fact.icu_stays) as bigint) as icu_stays,
  list_sort(list(distinct fact.patient_no)) as persons
{% endcall %}
