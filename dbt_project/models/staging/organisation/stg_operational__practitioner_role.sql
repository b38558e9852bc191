-- Grain: one row per position of a member of the staff during a time, as it is at to_xid.
-- Columns and types: _organisation.yml.
{{ config(unique_key='practitioner_role_id') }}

{{ current_image('practitioner_role') }}
