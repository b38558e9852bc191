-- Grain: one row per pregnancy that the batch can move: with its care, risks, visits and births, with its person and
-- organisation, and with the other pregnancies of the person, because of two that are open at once one is counted.
-- A planned examination stands at the last day that it is due, so its context moves apart from the pregnancy's.
-- affected_xid lets a reader leave out what an earlier pass left here.
with planned as (
  select
    led.pregnancy_id,
    led.patient_id,
    led.owner_organisation_id,
    plan.due_to as event_date
  from {{ ref('stg_operational__planned_pregnancy_visit') }} as plan
  inner join {{ ref('int_pregnancies__led') }} as led on plan.pregnancy_id = led.pregnancy_id
),

named as (
  select
    key as pregnancy_id,
    xid
  from ({{ entries_of('pregnancy') }}) as batch
  {%- for child in [
    'pregnancy_care', 'pregnancy_risk_factor', 'planned_pregnancy_visit', 'pregnancy_visit', 'birth'
  ] %}
  union all
  {{ named_in(child, 'pregnancy_id') }}
  {%- endfor %}
  union all
  {{ moved_with_context(ref('int_pregnancies__led'), 'pregnancy_id') }}
  union all
  {{ moved_with_context('planned', 'pregnancy_id') }}
),

people as (
  select
    led.person_id,
    named.xid
  from named
  inner join {{ ref('int_pregnancies__led') }} as led on named.pregnancy_id = led.pregnancy_id
  union all
  select
    person.person_id,
    batch.xid
  from ({{ entries_of('pregnancy') }}) as batch
  inner join {{ ref('int_patients__persons') }} as person
    on {{ image('patient_id', 'bigint', 'old') }} = person.patient_id
)

select
  pregnancy_id,
  max(xid) as affected_xid
from (
  select
    pregnancy_id,
    xid
  from named
  where pregnancy_id is not null
  union all
  select
    led.pregnancy_id,
    people.xid
  from people
  inner join {{ ref('int_pregnancies__led') }} as led on people.person_id = led.person_id
) as moved
group by pregnancy_id
