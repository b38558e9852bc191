-- Grain: one row per value of a laboratory report, as it is at to_xid.
-- Columns and types: _orders.yml.
{{ config(unique_key='lab_result_id') }}

{{ current_image('lab_result') }}
