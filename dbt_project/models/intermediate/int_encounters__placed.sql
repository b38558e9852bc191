-- Grain: one row per visit of any status, with where everybody stood on its local date.
{{ config(unique_key='encounter_id', partition_by='year(event_date)') }}

with touched as (
  select distinct encounter_id
  from {{ ref('int_encounters__touched') }}
),

visits as (
  select visit.*
  from touched
  inner join {{ ref('stg_operational__encounter') }} as visit on touched.encounter_id = visit.encounter_id
)

select
  touched.encounter_id,
  {{ place_columns('visit', 'started_at', person=true) }},
  visit.financing_source,
  visit.appointment_id,
  visit.started_at,
  visit.ended_at,
  visit.signed_at,
  visit.place,
  visit.visit_reason,
  visit.visit_kind,
  visit.insurance_status,
  visit.outcome,
  visit.status = 'finished' and visit.voided_at is null as finished_flag,
  visit.encounter_id is null as deleted_flag
from touched
left join visits as visit on touched.encounter_id = visit.encounter_id
{{ place_joins('visit', person='visits') }}
