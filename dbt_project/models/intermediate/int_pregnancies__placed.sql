-- Grain: one row per pregnancy that the batch touches and that is not voided, with its place and its course.
-- A pregnancy of a person with two records is counted once: not while an earlier registered one goes on.
{{ config(materialized='ephemeral') }}

with touched as (
  {{ touched_keys(ref('int_pregnancies__affected'), 'pregnancy_id') }}
),

pregnancies as (
  select
    led.*,
    cast(null as bigint) as department_id
  from touched
  inner join {{ ref('int_pregnancies__led') }} as led on touched.pregnancy_id = led.pregnancy_id
  where not led.voided_flag
),

risks as (
  select
    risk.pregnancy_id,
    count(*) as risk_factors
  from {{ ref('stg_operational__pregnancy_risk_factor') }} as risk
  inner join touched on risk.pregnancy_id = touched.pregnancy_id
  where risk.voided_at is null
  group by risk.pregnancy_id
),

visits as (
  select
    visit.pregnancy_id,
    count(*) as visits_held,
    max(visit.event_date) as last_visit_date,
    arg_max(visit.next_visit_on, (visit.visited_at, visit.pregnancy_visit_id)) as next_visit_date
  from {{ ref('stg_operational__pregnancy_visit') }} as visit
  inner join touched on visit.pregnancy_id = touched.pregnancy_id
  where visit.voided_at is null
  group by visit.pregnancy_id
),

deliveries as (
  select
    newborn.pregnancy_id,
    min(newborn.delivery_date) as delivery_date,
    count(*) as newborns
  from {{ ref('stg_operational__birth') }} as newborn
  inner join touched on newborn.pregnancy_id = touched.pregnancy_id
  where newborn.voided_at is null
  group by newborn.pregnancy_id
)

select
  touched.pregnancy_id,
  {{ place_columns('pregnancy', none, person=true, post=false) }},
  pregnancy.first_organisation_id,
  pregnancy.organisations,
  pregnancy.registered_on,
  pregnancy.last_menstrual_date,
  pregnancy.expected_delivery_date,
  pregnancy.gravida,
  pregnancy.para,
  pregnancy.risk_group,
  pregnancy.ended_on,
  pregnancy.outcome,
  coalesce(risks.risk_factors, 0) as risk_factors,
  coalesce(visits.visits_held, 0) as visits_held,
  visits.last_visit_date,
  visits.next_visit_date,
  deliveries.delivery_date,
  coalesce(deliveries.newborns, 0) as newborns,
  again.pregnancy_id is null as counted_flag,
  pregnancy.pregnancy_id is null as deleted_flag
from touched
left join pregnancies as pregnancy on touched.pregnancy_id = pregnancy.pregnancy_id
left join {{ ref('int_pregnancies__again') }} as again on touched.pregnancy_id = again.pregnancy_id
left join risks on touched.pregnancy_id = risks.pregnancy_id
left join visits on touched.pregnancy_id = visits.pregnancy_id
left join deliveries on touched.pregnancy_id = deliveries.pregnancy_id
{{ place_joins('pregnancy', person='pregnancies', post=false) }}
