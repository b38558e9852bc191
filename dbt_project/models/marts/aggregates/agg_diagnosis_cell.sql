-- Grain: one row per day, organisation, doctor and combination of the listed dimensions; diagnoses and their persons.
{{ config(unique_key=['event_date', 'owner_organisation_id', 'practitioner_id'], partition_by='year(event_date)') }}

{% set doctor = ['practitioner_id'] %}
{% set touched = touched_cells(ref('int_diagnoses__affected'), also=doctor, only='moved_flag') %}
{% call replaced_cells(touched, ref('fct_diagnosis'), also=doctor) %}
  fact.region_id,
  fact.district_id,
  fact.department_id,
  fact.site_id,
  fact.site_doctor_id,
  fact.specialty_code,
  fact.attachment_organisation_id,
  fact.visit_reason,
  fact.financing_source,
  fact.age_group,
  fact.sex,
  fact.urban_flag,
  fact.icd10_chapter,
  fact.icd10_block,
  fact.icd10_category,
  fact.icd10_code,
  fact.diagnosis_rank,
  fact.acute_or_chronic,
  fact.injury_flag,
  fact.injury_type,
  fact.chronic_group,
  fact.form12_row,
  fact.first_in_life_flag,
  fact.counted_case_flag,
  cast(sum(fact.diagnoses) as bigint) as diagnoses,
  cast(sum(fact.counted_cases) as bigint) as counted_cases,
  cast(sum(fact.first_in_life) as bigint) as first_in_life,
  cast(sum(fact.injuries) as bigint) as injuries,
  cast(sum(fact.male) as bigint) as male,
  cast(sum(fact.female) as bigint) as female,
  list_sort(list(distinct fact.patient_no)) as persons
{% endcall %}
