-- Grain: one row per planned examination of a pregnancy, as it is at to_xid.
-- Columns and types: _maternity.yml.
{{ config(unique_key='planned_pregnancy_visit_id') }}

{{ current_image('planned_pregnancy_visit') }}
