-- Grain: one row per day, hour, organisation, doctor and combination of the listed dimensions; bookings and their persons.
{{ config(unique_key=['event_date', 'owner_organisation_id', 'practitioner_id'], partition_by='year(event_date)') }}

{% set doctor = ['practitioner_id'] %}
{% set touched = touched_cells(ref('int_appointments__affected'), recent=true, also=doctor) %}
{% call replaced_cells(touched, ref('fct_appointment'), also=doctor) %}
  fact.event_hour,
  fact.region_id,
  fact.district_id,
  fact.department_id,
  fact.site_id,
  fact.site_doctor_id,
  fact.specialty_code,
  fact.attachment_organisation_id,
  fact.room_id,
  fact.service_code,
  fact.booking_channel,
  fact.status,
  fact.cancel_reason,
  fact.financing_source,
  fact.has_referral_flag,
  fact.age_group,
  fact.sex,
  cast(sum(fact.bookings) as bigint) as bookings,
  cast(sum(fact.attended) as bigint) as attended,
  cast(sum(fact.waiting) as bigint) as waiting,
  cast(sum(fact.fulfilled) as bigint) as fulfilled,
  cast(sum(fact.no_shows) as bigint) as no_shows,
  cast(sum(fact.cancelled) as bigint) as cancelled,
  list_sort(list(distinct fact.patient_no)) as persons
{% endcall %}
