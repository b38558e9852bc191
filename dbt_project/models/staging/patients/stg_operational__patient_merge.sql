-- Grain: one row per decision that two records are one person, as it is at to_xid.
-- Columns and types: _patients.yml.
{{ config(unique_key='patient_merge_id') }}

{{ current_image('patient_merge') }}
