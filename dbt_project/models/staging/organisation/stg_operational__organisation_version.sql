-- Grain: one row per version of an organisation (name, parent, territory during a time), as it is at to_xid.
-- Columns and types: _organisation.yml.
{{ config(unique_key='organisation_version_id') }}

{{ current_image('organisation_version') }}
