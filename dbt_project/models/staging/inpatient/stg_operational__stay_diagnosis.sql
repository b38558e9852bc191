-- Grain: one row per diagnosis of a hospital stay, as it is at to_xid.
-- Columns and types: _inpatient.yml.
{{ config(unique_key='stay_diagnosis_id') }}

{{ current_image('stay_diagnosis') }}
