-- Grain: one row per performed service that is not voided, of a finished visit that is not voided.
-- practitioner_id is who performed it; department and specialty are those of the visit.
{{ config(unique_key='encounter_id', partition_by='year(event_date)') }}

with touched as (
  {{ touched_visits('services_flag') }}
),

services as (
  select
    visit.* exclude (financing_source, practitioner_id),
    visit.practitioner_id as ordering_practitioner_id,
    service.performer_id as practitioner_id,
    service.* exclude (encounter_id, performer_id)
  from touched
  inner join {{ rows_of(ref('int_encounters__placed'), 'encounter_id', 'touched') }} as visit
    on touched.encounter_id = visit.encounter_id
  inner join {{ ref('int_services__valid') }} as service on visit.encounter_id = service.encounter_id
  where visit.finished_flag
)

select
  touched.encounter_id,
  service.procedure_id,
  {{ fact_place('service') }},
  service.financing_source,
  service.ordering_practitioner_id,
  service.performed_at,
  service.performed_date,
  service.service_code,
  cast(1 as integer) as services,
  service.quantity,
  service.tariff_kzt,
  service.amount_kzt,
  service.procedure_id is null as deleted_flag
from touched
left join services as service on touched.encounter_id = service.encounter_id
