-- Grain: one row per laboratory test of the directory, as it is at to_xid.
-- Columns and types: _orders.yml.
{{ config(unique_key='lab_test_id') }}

{{ current_image('lab_test') }}
