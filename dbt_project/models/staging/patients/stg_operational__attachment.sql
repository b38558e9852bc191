-- Grain: one row per attachment of a record of a person to an organisation and site during a time, as it is at to_xid.
-- Columns and types: _patients.yml.
{{ config(unique_key='attachment_id') }}

{{ current_image('attachment') }}
