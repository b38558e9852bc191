-- Grain: one row per diagnostic order, as it is at to_xid.
-- Columns and types: _orders.yml.
{{ config(unique_key='diagnostic_order_id') }}

{{ current_image('diagnostic_order') }}
