-- Grain: one row per price of a service during a time, as it is at to_xid.
-- Columns and types: _catalogs.yml.
{{ config(unique_key='service_tariff_id') }}

{{ current_image('service_tariff') }}
