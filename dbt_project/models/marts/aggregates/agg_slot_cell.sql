-- Grain: one row per day, hour, organisation, department and doctor; slots, seats and the first free one.
{{ config(unique_key=['event_date', 'owner_organisation_id'], partition_by='year(event_date)') }}

{% call replaced_cells(touched_cells(ref('int_slots__affected')), ref('fct_slot')) %}
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
{% endcall %}
