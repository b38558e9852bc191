-- Grain: one row per piece of a schedule that people are booked into, as it is at to_xid.
-- Columns and types: _scheduling.yml.
{{ config(unique_key='slot_id') }}

{{ current_image('slot') }}
