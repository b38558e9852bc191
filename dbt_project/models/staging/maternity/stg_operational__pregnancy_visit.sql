-- Grain: one row per visit of a pregnant woman, as it is at to_xid.
-- Columns and types: _maternity.yml.
{{ config(unique_key='pregnancy_visit_id') }}

{{ current_image('pregnancy_visit') }}
