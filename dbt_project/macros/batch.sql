{#
  The rows of a large table that the keys name. Beside them in a left join DuckDB would first read the whole table, since
  it does not know how few keys there are; of a semi join it reads what lies between the least and the greatest.
#}
{% macro rows_of(relation, key, keys, named=none) -%}
  (
    select *
    from {{ relation }}
    where {{ key }} in (select unnest(list_distinct(list({{ named or key }}))) from {{ keys }})
  )
{%- endmacro %}

{# Bounds of the pass. As SQL expressions: the compiled pass gives them as getvariable(...) and compiles once. #}
{% macro from_xid() %}{{ var("from_xid") }}{% endmacro %}
{% macro to_xid() %}{{ var("to_xid") }}{% endmacro %}

{#
  The feed entries of the batch for one operational table: what names the keys and cells to recompute, in the old and in
  the new image. An entry with `superseded` came late: bronze already has a newer image of that row.
#}
{% macro batch_changes(table_name) -%}
  select * from {{ source("bronze", "change") }}
  where table_name = '{{ table_name }}' and xid > {{ from_xid() }} and xid <= {{ to_xid() }}
{%- endmacro %}
