-- Grain: one row per visit, as it is at to_xid.
-- Columns and types: _encounters.yml.
{{ config(unique_key='encounter_id') }}

{{ current_image('encounter') }}
