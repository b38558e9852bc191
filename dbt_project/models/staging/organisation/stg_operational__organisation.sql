-- Grain: one row per organisation (identity, kind, BIN), as it is at to_xid.
-- Columns and types: _organisation.yml.
{{ config(unique_key='organisation_id') }}

{{ current_image('organisation') }}
