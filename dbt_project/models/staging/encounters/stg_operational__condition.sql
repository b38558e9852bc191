-- Grain: one row per diagnosis made at a visit, as it is at to_xid.
-- Columns and types: _encounters.yml.
{{ config(unique_key='condition_id') }}

{{ current_image('condition') }}
