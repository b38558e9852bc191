-- Grain: one row per presentation to an admission department that is not voided, waiting ones included.
{{ config(unique_key='presentation_id', partition_by='year(event_date)') }}

with touched as (
  select distinct presentation_id
  from {{ ref('int_presentations__affected') }}
)

select
  touched.presentation_id,
  {{ fact_place('arrival') }},
  arrival.admission_type,
  arrival.arrival_channel,
  arrival.referring_organisation_id,
  arrival.service_request_id,
  arrival.triage_zone,
  arrival.arrived_at,
  arrival.seen_at,
  arrival.decided_at,
  arrival.decided_date,
  arrival.decision,
  arrival.refusal_reason,
  arrival.target_organisation_id,
  arrival.icd10_code,
  arrival.icd10_block,
  arrival.icd10_chapter,
  arrival.stay_id,
  arrival.bed_profile,
  cast(date_diff('minute', arrival.arrived_at, arrival.seen_at) as integer) as minutes_to_doctor,
  cast(date_diff('minute', arrival.arrived_at, arrival.decided_at) as integer) as wait_minutes,
  cast(1 as integer) as presentations,
  cast(arrival.decision = 'waiting' as integer) as waiting,
  cast(arrival.decision = 'admitted' as integer) as admitted,
  cast(arrival.decision = 'refused' as integer) as refused,
  cast(arrival.decision = 'transferred' as integer) as transferred,
  cast(arrival.decision = 'left' as integer) as left_unseen,
  cast(arrival.decision = 'died' as integer) as died,
  arrival.presentation_id is null as deleted_flag
from touched
left join {{ ref('int_presentations__placed') }} as arrival on touched.presentation_id = arrival.presentation_id
