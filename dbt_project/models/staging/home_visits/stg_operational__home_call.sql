-- Grain: one row per call to a patient's home, as it is at to_xid.
-- Columns and types: _home_visits.yml.
{{ config(unique_key='home_call_id') }}

{{ current_image('home_call') }}
