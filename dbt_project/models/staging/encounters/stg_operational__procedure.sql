-- Grain: one row per service performed at a visit, as it is at to_xid.
-- Columns and types: _encounters.yml.
{{ config(unique_key='procedure_id') }}

{{ current_image('procedure') }}
