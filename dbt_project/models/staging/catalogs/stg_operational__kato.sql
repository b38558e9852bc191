-- Grain: one row per territory of the classifier KATO, as it is at to_xid.
-- Columns and types: _catalogs.yml.
{{ config(unique_key='kato_id') }}

{{ current_image('kato') }}
