{#
  Materialization `keyed`: the way every table of the lake is kept.

  The model selects, for the keys that the batch (from_xid, to_xid] names, the rows as they are now, and a boolean column
  `deleted_flag`: true on a row that only names a key which has no row any more. The keys are replaced: delete by
  unique_key, then insert (DuckLake takes one UPDATE or DELETE action per MERGE, so a merge cannot do both).
  unique_key may name a group (a cell, an encounter): all rows of the group are replaced by the selected ones.
  Without unique_key the model is small and is replaced whole; it needs no deleted_flag then.

  The table never holds deleted_flag. Full rebuild: from_xid = 0 with --full-refresh.
  pipelines/lib/compiled_pass.py executes the same three statements out of the compiled SQL and sorts what it makes anew; a test
  proves the rows equal.
#}
{% materialization keyed, adapter="duckdb", supported_languages=["sql"] %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target_relation = this.incorporate(type="table") -%}
  {%- set temp = target_relation.identifier ~ "__batch" -%}
  {%- set unique_key = config.get("unique_key") -%}
  {%- set keys = [unique_key] if unique_key is string else (unique_key or []) -%}
  {%- set partitioned_by = config.get("partition_by") -%}
  {%- set rebuild = existing is none or should_full_refresh() or not keys -%}

  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {%- call statement("batch") -%}
    create or replace temp table {{ temp }} as {{ compiled_code }}
  {%- endcall -%}
  {%- set rows = ("(select * exclude (deleted_flag) from " ~ temp ~ " where not deleted_flag)") if keys else temp -%}

  {%- if existing is none or should_full_refresh() -%}
    {%- call statement("empty") -%}
      create or replace table {{ target_relation }} as select * from {{ rows }} limit 0
    {%- endcall -%}
    {%- if partitioned_by -%}
      {%- call statement("partition") -%}
        alter table {{ target_relation }} set partitioned by ({{ partitioned_by }})
      {%- endcall -%}
    {%- endif -%}
  {%- elif keys -%}
    {%- call statement("forget") -%}
      delete from {{ target_relation }} where ({{ keys | join(", ") }}) in (select {{ keys | join(", ") }} from {{ temp }})
    {%- endcall -%}
  {%- else -%}
    {%- call statement("forget") -%}
      delete from {{ target_relation }}
    {%- endcall -%}
  {%- endif -%}

  {%- call statement("main") -%}
    insert into {{ target_relation }} by name select * from {{ rows }}
  {%- endcall -%}
  {%- call statement("drop_batch") -%}
    drop table {{ temp }}
  {%- endcall -%}

  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ return({"relations": [target_relation]}) }}
{% endmaterialization %}
