-- Grain: one row per class, block or code of ICD-10, as it is at to_xid.
-- Columns and types: _catalogs.yml.
{{ config(unique_key='icd10_id') }}

{{ current_image('icd10') }}
