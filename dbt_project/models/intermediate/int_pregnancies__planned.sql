-- Grain: one row per planned examination of a pregnancy that the batch touches, with the visit that held it; a
-- pregnancy without a plan has one row that only names it.
{{ config(materialized='ephemeral') }}

with touched as (
  {{ touched_keys(ref('int_pregnancies__affected'), 'pregnancy_id') }}
),

held as (
  select
    visit.pregnancy_id,
    visit.visit_no,
    min(visit.event_date) as visited_date
  from {{ ref('stg_operational__pregnancy_visit') }} as visit
  inner join touched on visit.pregnancy_id = touched.pregnancy_id
  where visit.voided_at is null and visit.visit_no is not null
  group by visit.pregnancy_id, visit.visit_no
),

plan as (
  select
    planned.planned_pregnancy_visit_id,
    planned.pregnancy_id,
    planned.visit_no,
    planned.due_from,
    planned.due_to,
    planned.due_to as event_date,
    held.visited_date,
    led.patient_id,
    led.owner_organisation_id,
    led.practitioner_id,
    cast(null as bigint) as department_id,
    led.registered_on,
    led.last_menstrual_date,
    led.expected_delivery_date,
    led.para,
    led.risk_group,
    led.ended_on,
    max(case when held.visited_date is not null then planned.visit_no else 0 end) over earlier as last_held_no
  from {{ ref('stg_operational__planned_pregnancy_visit') }} as planned
  inner join touched on planned.pregnancy_id = touched.pregnancy_id
  inner join {{ ref('int_pregnancies__led') }} as led on planned.pregnancy_id = led.pregnancy_id
  left join held on planned.pregnancy_id = held.pregnancy_id and planned.visit_no = held.visit_no
  where planned.voided_at is null and not led.voided_flag
  window earlier as (
    partition by planned.pregnancy_id order by planned.visit_no
    rows between unbounded preceding and current row
  )
),

ranked as (
  select
    *,
    count(*) filter (where visited_date is null) over (
      partition by pregnancy_id, last_held_no order by visit_no
    ) as missed_in_a_row
  from plan
)

select
  touched.pregnancy_id,
  planned.planned_pregnancy_visit_id,
  {{ place_columns('planned', none, person=true, post=false) }},
  planned.visit_no,
  planned.due_from,
  planned.due_to,
  planned.visited_date,
  planned.missed_in_a_row,
  planned.registered_on,
  planned.last_menstrual_date,
  planned.expected_delivery_date,
  planned.para,
  planned.risk_group,
  planned.ended_on,
  again.pregnancy_id is null as counted_flag,
  planned.planned_pregnancy_visit_id is null as deleted_flag
from touched
left join ranked as planned on touched.pregnancy_id = planned.pregnancy_id
left join {{ ref('int_pregnancies__again') }} as again on touched.pregnancy_id = again.pregnancy_id
{{ place_joins('planned', person='ranked', post=false) }}
