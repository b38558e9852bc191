-- Grain: one row per referral made at a visit, as it is at to_xid.
-- Columns and types: _encounters.yml.
{{ config(unique_key='service_request_id') }}

{{ current_image('service_request') }}
