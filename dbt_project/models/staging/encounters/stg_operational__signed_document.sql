-- Grain: one row per signed version of a visit's document, as it is at to_xid.
-- Columns and types: _encounters.yml.
{{ config(unique_key='signed_document_id') }}

{{ current_image('signed_document') }}
