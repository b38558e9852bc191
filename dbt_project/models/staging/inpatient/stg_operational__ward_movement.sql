-- Grain: one row per part of a stay spent in one department and bed, as it is at to_xid.
-- Columns and types: _inpatient.yml.
{{ config(unique_key='ward_movement_id') }}

{{ current_image('ward_movement') }}
