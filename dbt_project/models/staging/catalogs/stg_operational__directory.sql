-- Grain: one row per directory with its edition and status, as it is at to_xid.
-- Columns and types: _catalogs.yml.
{{ config(unique_key='directory_id') }}

{{ current_image('directory') }}
