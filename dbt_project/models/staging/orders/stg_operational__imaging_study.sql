-- Grain: one row per imaging study as it was received, as it is at to_xid.
-- Columns and types: _orders.yml.
{{ config(unique_key='imaging_study_id') }}

{{ current_image('imaging_study') }}
