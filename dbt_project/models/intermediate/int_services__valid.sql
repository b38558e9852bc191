-- Grain: one row per performed service that is not voided, with what it costs.
{{ config(materialized='ephemeral') }}

select
  procedure_id,
  encounter_id,
  performer_id,
  service_code,
  quantity,
  tariff_kzt,
  financing_source,
  performed_at,
  {{ local_date('performed_at') }} as performed_date,
  cast(quantity * tariff_kzt as decimal(14, 2)) as amount_kzt
from {{ ref('stg_operational__procedure') }}
where voided_at is null
