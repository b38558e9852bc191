-- Grain: one row per booking of a seat of a slot, as it is at to_xid.
-- Columns and types: _scheduling.yml.
{{ config(unique_key='appointment_id') }}

{{ current_image('appointment') }}
