-- Grain: one row per newborn of a delivery, as it is at to_xid.
-- Columns and types: _maternity.yml.
{{ config(unique_key='birth_id') }}

{{ current_image('birth') }}
