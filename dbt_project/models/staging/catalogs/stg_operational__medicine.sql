-- Grain: one row per medicine by its nonproprietary name, as it is at to_xid.
-- Columns and types: _catalogs.yml.
{{ config(unique_key='medicine_id') }}

{{ current_image('medicine') }}
