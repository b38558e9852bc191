-- Grain: one row per visit of a pregnant woman that the batch touches, with its pregnancy and its place.
{{ config(materialized='ephemeral') }}

with touched as (
  {{ touched_keys(ref('int_pregnancy_visits__affected'), 'pregnancy_visit_id') }}
),

visits as (
  select
    visit.* exclude (voided_at),
    pregnancy.risk_group,
    pregnancy.para,
    cast(null as bigint) as department_id
  from touched
  inner join {{ ref('stg_operational__pregnancy_visit') }} as visit
    on touched.pregnancy_visit_id = visit.pregnancy_visit_id
  inner join {{ ref('stg_operational__pregnancy') }} as pregnancy on visit.pregnancy_id = pregnancy.pregnancy_id
  where visit.voided_at is null and pregnancy.voided_at is null
)

select
  touched.pregnancy_visit_id,
  {{ place_columns('visit', 'visited_at', person=true, post=false) }},
  visit.pregnancy_id,
  visit.visit_no,
  visit.visited_at,
  visit.place,
  visit.gestation_days,
  visit.weight_kg,
  visit.systolic,
  visit.diastolic,
  visit.oedema,
  visit.proteinuria,
  visit.next_visit_on,
  visit.risk_group,
  visit.para,
  visit.pregnancy_visit_id is null as deleted_flag
from touched
left join visits as visit on touched.pregnancy_visit_id = visit.pregnancy_visit_id
{{ place_joins('visit', person='visits', post=false) }}
