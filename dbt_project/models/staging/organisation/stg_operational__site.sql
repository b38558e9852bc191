-- Grain: one row per site (участок) of primary care, as it is at to_xid.
-- Columns and types: _organisation.yml.
{{ config(unique_key='site_id') }}

{{ current_image('site') }}
