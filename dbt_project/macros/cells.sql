{# How an aggregate replaces its cells, those of a day and an organisation. #}

{# The cells of the images that the batch can move; `day` is a date of the images, `named` what the aggregate calls it. #}
{% macro touched_cells(affected, recent=false, day="event_date", named=none) -%}
  select distinct
    {{ day }}{{ " as " ~ named if named }},
    owner_organisation_id
  from {{ affected }} as affected
  where
    {{ day }} is not null
    and owner_organisation_id is not null
    {%- if recent %}
    and affected_xid > {{ from_xid() }}
    {%- endif %}
{%- endmacro %}

{#
  The model of an aggregate: what the touched cells hold now, and the name of each that holds nothing any more. Called
  with the columns (dimensions and sums) of `fact` beside the day and the organisation.
#}
{% macro replaced_cells(touched, fact, day="event_date") -%}
with touched as (
  {{ touched }}
),

cells as (
  select
    fact.{{ day }},
    fact.owner_organisation_id,
    {{- caller().rstrip() | indent(2) }}
  from touched
  inner join {{ fact }} as fact
    on touched.{{ day }} = fact.{{ day }} and touched.owner_organisation_id = fact.owner_organisation_id
  group by all
)

select
  touched.{{ day }},
  touched.owner_organisation_id,
  cells.* exclude ({{ day }}, owner_organisation_id),
  cells.{{ day }} is null as deleted_flag
from touched
left join cells
  on touched.{{ day }} = cells.{{ day }} and touched.owner_organisation_id = cells.owner_organisation_id
{%- endmacro %}
