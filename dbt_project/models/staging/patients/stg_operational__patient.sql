-- Grain: one row per record of a person in the register, as it is at to_xid.
-- Columns and types: _patients.yml.
{{ config(unique_key='patient_id') }}

{{ current_image('patient') }}
