{# The place columns that every fact of a visit carries over from int_encounters__placed. #}
{% macro fact_place(base) -%}
  {%- set columns = [
    "event_date", "event_year", "event_hour", "owner_organisation_id", "region_id", "district_id", "department_id",
    "practitioner_id", "practitioner_role_id", "specialty_code", "position_code", "patient_no", "sex", "age_years",
    "age_group", "residence_kato", "residence_region_kato", "residence_district_kato", "urban_flag",
    "attachment_organisation_id", "site_id", "site_doctor_id"
  ] -%}
  {%- for column in columns %}
  {{ base }}.{{ column }}{{ "," if not loop.last }}
  {%- endfor %}
{%- endmacro %}

{# The visits that the batch can move, each once; `flag` of int_encounters__affected names the part that has to have moved. #}
{% macro touched_visits(flag=none) -%}
  select distinct encounter_id
  from {{ ref('int_encounters__touched') }}
  {%- if flag %}
  where {{ flag }}
  {%- endif %}
{%- endmacro %}
