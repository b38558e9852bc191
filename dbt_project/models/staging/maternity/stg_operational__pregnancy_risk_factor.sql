-- Grain: one row per risk factor found during a pregnancy, as it is at to_xid.
-- Columns and types: _maternity.yml.
{{ config(unique_key='pregnancy_risk_factor_id') }}

{{ current_image('pregnancy_risk_factor') }}
