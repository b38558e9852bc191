-- Grain: one row per day, hour, organisation, department and doctor; slots, seats and the first free one.
{{ config(unique_key=['event_date', 'owner_organisation_id'], partition_by='year(event_date)') }}

with touched as (
  {{ touched_cells(ref('int_slots__affected')) }}
),

cells as (
  select
    fact.event_date,
    fact.owner_organisation_id,
    fact.event_hour,
    fact.region_id,
    fact.district_id,
    fact.department_id,
    fact.practitioner_id,
    fact.specialty_code,
    cast(sum(fact.slots) as bigint) as slots,
    cast(sum(fact.capacity) as bigint) as capacity,
    cast(sum(fact.offered) as bigint) as offered,
    cast(sum(fact.booked) as bigint) as booked,
    cast(sum(fact.free) as bigint) as free,
    cast(sum(fact.attended) as bigint) as attended,
    min(fact.starts_at) filter (where fact.free > 0) as first_free_at
  from touched
  inner join {{ ref('fct_slot') }} as fact
    on touched.event_date = fact.event_date and touched.owner_organisation_id = fact.owner_organisation_id
  group by all
)

select
  touched.event_date,
  touched.owner_organisation_id,
  cells.* exclude (event_date, owner_organisation_id),
  cells.event_date is null as deleted_flag
from touched
left join cells
  on touched.event_date = cells.event_date and touched.owner_organisation_id = cells.owner_organisation_id
