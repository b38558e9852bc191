-- Grain: one row per laboratory or imaging report, as it is at to_xid.
-- Columns and types: _orders.yml.
{{ config(unique_key='diagnostic_report_id') }}

{{ current_image('diagnostic_report') }}
