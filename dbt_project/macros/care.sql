{# What an `__affected` model of events of a person collects: keys of events that the batch can move. #}

{# The keys that a table's rows name in either image, e.g. the report of a value. #}
{% macro named_in(table_name, field) -%}
  select
    unnest(list_distinct([{{ image(field, "bigint") }}, {{ image(field, "bigint", "old") }}])) as {{ field }},
    xid
  from ({{ entries_of(table_name) }}) as batch
{%- endmacro %}

{#
  Events whose person or organisation the batch moved on their day. `events` has the key, patient_id, event_date and
  owner_organisation_id.
#}
{% macro moved_with_context(events, key) -%}
  select
    event.{{ key }},
    affected.affected_xid as xid
  from {{ events }} as event
  inner join {{ ref('int_patients__affected') }} as affected
    on
      event.patient_id = affected.patient_id
      and event.event_date >= affected.changed_from
      and event.event_date < affected.changed_to
  where affected.affected_xid > {{ from_xid() }}
  union all
  select
    event.{{ key }},
    affected.affected_xid
  from {{ events }} as event
  inner join {{ ref('int_organisations__affected') }} as affected
    on
      event.owner_organisation_id = affected.organisation_id
      and event.event_date >= affected.changed_from
      and event.event_date < affected.changed_to
  where affected.affected_xid > {{ from_xid() }}
{%- endmacro %}

{# The named events with the cell in which they stand and the one in which they stood before the batch. #}
{% macro cells_of_images(named, events, key, table_name, moment) -%}
  select
    {{ key }},
    event_date,
    owner_organisation_id,
    max(xid) as affected_xid
  from (
    select
      named.{{ key }},
      event.event_date,
      event.owner_organisation_id,
      named.xid
    from {{ named }} as named
    left join {{ rows_of(events, key, named) }} as event on named.{{ key }} = event.{{ key }}
    where named.{{ key }} is not null
    union all
    select
      key,
      {{ local_date(image(moment, "timestamptz", "old")) }},
      {{ image("owner_organisation_id", "bigint", "old") }},
      xid
    from ({{ entries_of(table_name) }}) as batch
    where old_row is not null
  ) as images
  group by all
{%- endmacro %}

{# The keys that an `__affected` model names in this batch, each once. #}
{% macro touched_keys(affected, key) -%}
  select distinct {{ key }}
  from {{ affected }} as affected
  where affected_xid > {{ from_xid() }}
{%- endmacro %}

{# The trimester of a term in days: the second from 14 full weeks, the third from 28. From general knowledge, verify. #}
{% macro trimester(days) -%}
  case when {{ days }} < 98 then 'first' when {{ days }} < 196 then 'second' when {{ days }} is not null then 'third' end
{%- endmacro %}

{# The group of a woman by the births before this pregnancy. From general knowledge, verify. #}
{% macro parity_group(para) -%}
  case when {{ para }} = 0 then 'first' when {{ para }} < 5 then 'repeated' when {{ para }} is not null then 'many' end
{%- endmacro %}
