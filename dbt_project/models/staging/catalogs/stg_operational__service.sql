-- Grain: one row per medical service, as it is at to_xid.
-- Columns and types: _catalogs.yml.
{{ config(unique_key='service_id') }}

{{ current_image('service') }}
