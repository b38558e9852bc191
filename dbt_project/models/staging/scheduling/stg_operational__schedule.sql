-- Grain: one row per working time of a practitioner in a room, as it is at to_xid.
-- Columns and types: _scheduling.yml.
{{ config(unique_key='schedule_id') }}

{{ current_image('schedule') }}
