-- Grain: one row per performed service that is not voided, of the visits that the batch can move, with what it costs.
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
from {{ rows_of(ref('stg_operational__procedure'), 'encounter_id', ref('int_encounters__affected')) }} as service
where voided_at is null
