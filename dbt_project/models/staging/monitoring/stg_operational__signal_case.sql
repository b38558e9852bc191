-- Grain: one row per case of a signal sheet, as it is at to_xid.
-- Columns and types: _monitoring.yml.
{{ config(unique_key='signal_case_id') }}

{{ current_image('signal_case') }}
