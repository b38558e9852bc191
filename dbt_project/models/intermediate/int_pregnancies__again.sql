-- Grain: one row per pregnancy that does not count: a person with two records has an earlier registered one that goes
-- on at its registration.
{{ config(materialized='ephemeral') }}

select distinct later.pregnancy_id
from {{ ref('int_pregnancies__led') }} as later
inner join {{ ref('int_pregnancies__led') }} as earlier
  on
    later.person_id = earlier.person_id
    and (earlier.registered_on, earlier.pregnancy_id) < (later.registered_on, later.pregnancy_id)
    and (earlier.ended_on is null or earlier.ended_on > later.registered_on)
where not earlier.voided_flag and not later.voided_flag
