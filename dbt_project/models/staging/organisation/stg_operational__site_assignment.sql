-- Grain: one row per answering of a doctor or nurse for a site during a time, as it is at to_xid.
-- Columns and types: _organisation.yml.
{{ config(unique_key='site_assignment_id') }}

{{ current_image('site_assignment') }}
