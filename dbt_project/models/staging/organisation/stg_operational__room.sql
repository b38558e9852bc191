-- Grain: one row per room, as it is at to_xid.
-- Columns and types: _organisation.yml.
{{ config(unique_key='room_id') }}

{{ current_image('room') }}
