{# Reading the change feed: images, keys and periods that a batch names. Every macro gives one SQL expression or select. #}

{#
  The batch's entries of a table, for a model that finds its keys in them. It names the table's staging model as a parent,
  so that a pass in which only this table changed runs the model, after the staging model.
#}
{% macro entries_of(table_name) -%}
  {%- do ref("stg_operational__" ~ table_name) -%}
  {{ batch_changes(table_name) }}
{%- endmacro %}

{# The local date of a moment, in the zone of the organisations. #}
{% macro local_date(moment) -%}
  cast(timezone('{{ env_var("KMIS_TIMEZONE", "Asia/Oral") }}', {{ moment }}) as date)
{%- endmacro %}

{# One field of a feed image: side is new or old. #}
{% macro image(field, data_type="varchar", side="new") -%}
  cast(({{ side }}_row ->> '{{ field }}') as {{ data_type }})
{%- endmacro %}

{# Whether a change of the row touches any of the fields; an insert and a delete always do. #}
{% macro touches(fields) -%}
  (
    operation <> 'U'
    {%- for field in fields %}
    or (new_row ->> '{{ field }}') is distinct from (old_row ->> '{{ field }}')
    {%- endfor %}
  )
{%- endmacro %}

{#
  Current image of one operational table: for each key of the batch its newest row, typed by the columns of the model's YAML.
  meta.field names the operational column where the name differs, `key` the primary key; meta.local_date_of derives a local date.
  Feed ids of one row grow with its changes (the row lock orders them), transaction ids need not. Only keys and feed ids are
  grouped: images as text would have to lie in memory all at once, for a batch that is the whole of bronze.
#}
{% macro current_image(table_name) -%}
  {%- set columns = model.columns.values() if execute else [] -%}
  {%- set shape = [] -%}
  {%- for column in columns -%}
    {%- set meta = column.config.meta or {} -%}
    {%- if "local_date_of" not in meta and meta.field != "key" -%}
      {%- set array = column.data_type.endswith("[]") -%}
      {%- do shape.append('"' ~ (meta.field or column.name) ~ '": ' ~ ('["VARCHAR"]' if array else '"VARCHAR"')) -%}
    {%- endif -%}
  {%- endfor -%}
with last_entry as (
  select max(feed_id) as feed_id
  from ({{ batch_changes(table_name) }}) as batch
  where not superseded
  group by key
),

newest as (
  select
    key,
    operation,
    json_transform(new_row, '{ {{- shape | join(", ") -}} }') as image
  from ({{ batch_changes(table_name) }}) as batch
  where feed_id in (select feed_id from last_entry)
)

select
  {%- for column in columns %}
  {%- set meta = column.config.meta or {} %}
  {%- if meta.field == "key" %}
  key as {{ column.name }},
  {%- elif "local_date_of" in meta %}
  {{ local_date("cast(image." ~ meta.local_date_of ~ " as timestamptz)") }} as {{ column.name }},
  {%- else %}
  cast(image.{{ adapter.quote(meta.field or column.name) }} as {{ column.data_type }}) as {{ adapter.quote(column.name) }},
  {%- endif %}
  {%- endfor %}
  operation = 'D' as deleted_flag
from newest
{%- endmacro %}

{#
  The days on which rows of a dated table changed what they say, one row per owner (`owner_field`) and image.
  Closing a row or moving one of its ends changes only the days between the old end and the new one; a change of one of
  `fields` changes all its days. So an attachment that ends in February leaves January alone.
#}
{% macro changed_days(table_name, owner_field, fields) -%}
  {%- set all_fields = [owner_field] + fields -%}
  select
    owner_id,
    xid,
    case
      when other_flag then least(new_from, old_from)
      when new_from <> old_from then least(new_from, old_from)
      else least(new_to, old_to)
    end as changed_from,
    case
      when other_flag then greatest(new_to, old_to)
      when new_to <> old_to then greatest(new_to, old_to)
      else greatest(new_from, old_from)
    end as changed_to
  from (
    select
      unnest(list_distinct([{{ image(owner_field, "bigint") }}, {{ image(owner_field, "bigint", "old") }}])) as owner_id,
      xid,
      {{ touches(all_fields) }} as other_flag,
      {{ image("valid_from", "date") }} as new_from,
      {{ image("valid_from", "date", "old") }} as old_from,
      case when new_row is not null then coalesce({{ image("valid_to", "date") }}, date '9999-12-31') end as new_to,
      case when old_row is not null then coalesce({{ image("valid_to", "date", "old") }}, date '9999-12-31') end as old_to
    from ({{ entries_of(table_name) }}) as batch
    where {{ touches(all_fields + ["valid_from", "valid_to"]) }}
  ) as ends
{%- endmacro %}
