-- Grain: one row per hospital stay, as it is at to_xid.
-- Columns and types: _inpatient.yml.
{{ config(unique_key='hospital_stay_id') }}

{{ current_image('hospital_stay') }}
