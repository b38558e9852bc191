-- Grain: one row per signal case and image (as it is, and as it was before the batch) that the batch can move: also by
-- the home calls and visits of its person, and by the operations of its stay.
-- affected_xid lets a reader leave out what an earlier pass left here.
with people as (
  {%- for table in ['home_call', 'encounter'] %}
  {{ named_in(table, 'patient_id') }}
  {{ 'union all' if not loop.last }}
  {%- endfor %}
),

named as (
  select
    key as signal_case_id,
    xid
  from ({{ entries_of('signal_case') }}) as batch
  union all
  select
    sheet.signal_case_id,
    people.xid
  from people
  inner join {{ ref('int_patients__persons') }} as named on people.patient_id = named.patient_id
  inner join {{ ref('int_patients__persons') }} as record on named.person_id = record.person_id
  inner join {{ ref('stg_operational__signal_case') }} as sheet on record.patient_id = sheet.patient_id
  union all
  select
    sheet.signal_case_id,
    operated.xid
  from ({{ named_in('stay_operation', 'stay_id') }}) as operated
  inner join {{ ref('stg_operational__signal_case') }} as sheet
    on operated.stay_id = sheet.subject_id and sheet.subject = 'hospital_stay'
  union all
  {{ moved_with_context(ref('stg_operational__signal_case'), 'signal_case_id') }}
)

{{ cells_of_images('named', ref('stg_operational__signal_case'), 'signal_case_id', 'signal_case', 'event_at') }}
