-- Grain: one row per pregnancy under care, as it is at to_xid.
-- Columns and types: _maternity.yml.
{{ config(unique_key='pregnancy_id') }}

{{ current_image('pregnancy') }}
