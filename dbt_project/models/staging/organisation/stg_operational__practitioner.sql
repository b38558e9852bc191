-- Grain: one row per member of the staff, as it is at to_xid.
-- Columns and types: _organisation.yml.
{{ config(unique_key='practitioner_id') }}

{{ current_image('practitioner') }}
