-- Grain: one row per surgical operation, as it is at to_xid.
-- Columns and types: _catalogs.yml.
{{ config(unique_key='operation_id') }}

{{ current_image('operation') }}
