-- Grain: one row per presentation to an admission department, as it is at to_xid.
-- Columns and types: _inpatient.yml.
{{ config(unique_key='hospital_presentation_id') }}

{{ current_image('hospital_presentation') }}
