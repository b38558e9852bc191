-- Grain: one row per organisation that led a pregnancy during a time, as it is at to_xid.
-- Columns and types: _maternity.yml.
{{ config(unique_key='pregnancy_care_id') }}

{{ current_image('pregnancy_care') }}
