{#
  The position (role version) that a practitioner held in the organisation on the day, for events that name the person
  only. Of several positions, the one in the event's department, then the newest.
#}
{% macro role_at(practitioner, organisation, day, department) -%}
  (
    select
      arg_max(
        held.practitioner_role_id, (coalesce(held.department_id = {{ department }}, false), held.practitioner_role_id)
      )
    from {{ ref('dim_practitioner') }} as held
    where
      held.practitioner_id = {{ practitioner }}
      and held.organisation_id = {{ organisation }}
      and {{ day }} >= held.valid_from
      and {{ day }} < held.valid_to
  )
{%- endmacro %}

{# The practitioners of whom the batch changed what a position says. #}
{% macro changed_posts() -%}
  select
    unnest(list_distinct([
      {{ image('practitioner_id', 'bigint') }}, {{ image('practitioner_id', 'bigint', 'old') }}
    ])) as practitioner_id,
    xid
  from ({{ entries_of('practitioner_role') }}) as batch
  where {{ touches([
    'practitioner_id', 'organisation_id', 'department_id', 'specialty_code', 'position_code', 'valid_from', 'valid_to'
  ]) }}
{%- endmacro %}
