{#
  How an aggregate replaces its cells, those of a day and an organisation. `also` names further columns of the cell, where
  the changes of a pass lie scattered: a doctor's day has a few rows, an organisation's has hundreds. A column of the cell
  may not be null.
#}

{# The cells of the images that the batch can move; `day` is a date of the images, `named` what the
   aggregate calls it, `only` a condition. #}
{% macro touched_cells(affected, recent=false, day="event_date", named=none, also=[], only=none) -%}
  select distinct
    {{ day }}{{ " as " ~ named if named }},
    owner_organisation_id
    {%- for column in also %},
    {{ column }}
    {%- endfor %}
  from {{ affected }} as affected
  where
    {{ day }} is not null
    and owner_organisation_id is not null
    {%- for column in also %}
    and {{ column }} is not null
    {%- endfor %}
    {%- if only %}
    and {{ only }}
    {%- endif %}
    {%- if recent %}
    and affected_xid > {{ from_xid() }}
    {%- endif %}
{%- endmacro %}

{#
  The model of an aggregate: what the touched cells hold now, and the name of each that holds nothing any more. Called
  with the columns (dimensions and sums) of `fact` beside those of the cell.
#}
{% macro replaced_cells(touched, fact, day="event_date", also=[]) -%}
{%- set cell = [day, "owner_organisation_id"] + also -%}
with touched as (
  {{ touched }}
),

cells as (
  select
    {%- for column in cell %}
    fact.{{ column }},
    {%- endfor %}
    {{- caller().rstrip() | indent(2) }}
  from touched
  inner join {{ fact }} as fact
    on {{ same_cell('touched', 'fact', cell) }}
  group by all
)

select
  {%- for column in cell %}
  touched.{{ column }},
  {%- endfor %}
  cells.* exclude ({{ cell | join(", ") }}),
  cells.{{ day }} is null as deleted_flag
from touched
left join cells
  on {{ same_cell('touched', 'cells', cell) }}
{%- endmacro %}

{% macro same_cell(left, right, cell) -%}
  {%- for column in cell -%}
  {{ left }}.{{ column }} = {{ right }}.{{ column }}{{ " and " if not loop.last }}
  {%- endfor -%}
{%- endmacro %}
