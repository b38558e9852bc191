-- Grain: one row per registered death, as it is at to_xid.
-- Columns and types: _deaths.yml.
{{ config(unique_key='death_id') }}

{{ current_image('death') }}
