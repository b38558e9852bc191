-- Grain: one row per number of beds of one profile in a department during a time, as it is at to_xid.
-- Columns and types: _bed_stock.yml.
{{ config(unique_key='bed_stock_id') }}

{{ current_image('bed_stock') }}
