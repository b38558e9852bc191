-- Grain: one row per operation during a stay, as it is at to_xid.
-- Columns and types: _inpatient.yml.
{{ config(unique_key='stay_operation_id') }}

{{ current_image('stay_operation') }}
