-- Grain: one row per department of an organisation, as it is at to_xid.
-- Columns and types: _organisation.yml.
{{ config(unique_key='department_id') }}

{{ current_image('department') }}
