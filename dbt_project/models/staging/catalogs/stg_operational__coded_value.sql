-- Grain: one row per entry of a small directory, as it is at to_xid.
-- Columns and types: _catalogs.yml.
{{ config(unique_key='coded_value_id') }}

{{ current_image('coded_value') }}
