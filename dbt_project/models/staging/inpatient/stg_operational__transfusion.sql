-- Grain: one row per transfusion during a stay, as it is at to_xid.
-- Columns and types: _inpatient.yml.
{{ config(unique_key='transfusion_id') }}

{{ current_image('transfusion') }}
