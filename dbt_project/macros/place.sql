{#
  Where an event stands: the tree of its organisation, the position of its practitioner, and, for a person's event, the
  person's age, residence, attachment and site doctor, each in the version of the event's local date.
  The base needs event_date, owner_organisation_id, department_id, practitioner_id, practitioner_role_id and patient_id.
  An event without a moment has no hour; one without the position of its practitioner says post=false. `person` names the
  CTE of the base's events, whose persons are looked up (false: none are).
#}
{% macro place_columns(base, moment, person, post=true) -%}
  {{ base }}.event_date,
  cast(year({{ base }}.event_date) as integer) as event_year,
  {%- if moment %}
  cast(hour(timezone('{{ env_var("KMIS_TIMEZONE", "Asia/Oral") }}', {{ base }}.{{ moment }})) as integer) as event_hour,
  {%- endif %}
  {{ base }}.owner_organisation_id,
  tree.region_id,
  tree.district_id,
  {{ base }}.department_id,
  {{ base }}.practitioner_id
  {%- if post %},
  {{ base }}.practitioner_role_id,
  post.specialty_code,
  post.position_code
  {%- endif %}
  {%- if person %},
  person.patient_no,
  person.sex,
  cast(date_sub('year', person.birth_date, {{ base }}.event_date) as integer) as age_years,
  age.age_group,
  home.residence_kato,
  home.residence_region_kato,
  home.residence_district_kato,
  home.urban_flag,
  attached.organisation_id as attachment_organisation_id,
  attached.site_id,
  served.practitioner_id as site_doctor_id
  {%- endif %}
{%- endmacro %}

{% macro place_joins(base, person, post=true) -%}
left join {{ ref('dim_organisation') }} as tree
  on
    {{ base }}.owner_organisation_id = tree.organisation_id
    and {{ base }}.event_date >= tree.valid_from
    and {{ base }}.event_date < tree.valid_to
{%- if post %}
left join {{ ref('dim_practitioner') }} as post on {{ base }}.practitioner_role_id = post.practitioner_role_id
{%- endif %}
{%- if person %}
{%- set people = rows_of(ref('int_patients__persons'), 'patient_id', person) %}
left join {{ people }} as person on {{ base }}.patient_id = person.patient_id
left join {{ ref('dim_age_group') }} as age
  on date_sub('year', person.birth_date, {{ base }}.event_date) between age.age_from and age.age_to
left join {{ rows_of(ref('dim_patient'), 'patient_id', people, named='person_id') }} as home
  on
    person.person_id = home.patient_id
    and {{ base }}.event_date >= home.valid_from
    and {{ base }}.event_date < home.valid_to
left join {{ rows_of(ref('dim_attachment'), 'person_id', people, named='person_id') }} as attached
  on
    person.person_id = attached.person_id
    and {{ base }}.event_date >= attached.valid_from
    and {{ base }}.event_date < attached.valid_to
left join {{ ref('dim_site_doctor') }} as served
  on
    attached.site_id = served.site_id
    and {{ base }}.event_date >= served.valid_from
    and {{ base }}.event_date < served.valid_to
{%- endif %}
{%- endmacro %}
