-- Grain: one row per round of measurements during a stay, as it is at to_xid.
-- Columns and types: _inpatient.yml.
{{ config(unique_key='vital_sign_id') }}

{{ current_image('vital_sign') }}
