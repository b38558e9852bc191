-- Grain: one row per hospital stay and image (as it is, and as it was before the batch) that the batch can move as a
-- stay of a pregnant woman: with what happened in it, and with the pregnancies of the person.
-- affected_xid lets a reader leave out what an earlier pass left here.
with named as (
  select
    key as hospital_stay_id,
    xid
  from ({{ entries_of('hospital_stay') }}) as batch
  {%- for child in ['stay_diagnosis', 'ward_movement', 'vital_sign', 'transfusion'] %}
  union all
  {{ named_in(child, 'stay_id') }}
  {%- endfor %}
  union all
  select
    stay.hospital_stay_id,
    presentation.xid
  from {{ ref('stg_operational__hospital_stay') }} as stay
  inner join ({{ entries_of('hospital_presentation') }}) as presentation on stay.presentation_id = presentation.key
  where {{ touches(['systolic', 'diastolic', 'voided_at']) }}
  union all
  select
    movement.stay_id,
    ward.xid
  from {{ ref('stg_operational__ward_movement') }} as movement
  inner join ({{ entries_of('department') }}) as ward on movement.department_id = ward.key
  where {{ touches(['kind']) }}
  union all
  select
    stay.hospital_stay_id,
    moved.affected_xid
  from {{ ref('int_pregnancies__affected') }} as moved
  inner join {{ ref('int_pregnancies__led') }} as led on moved.pregnancy_id = led.pregnancy_id
  inner join {{ ref('int_patients__persons') }} as record on led.person_id = record.person_id
  inner join {{ ref('stg_operational__hospital_stay') }} as stay on record.patient_id = stay.patient_id
  where moved.affected_xid > {{ from_xid() }}
  union all
  {{ moved_with_context(ref('stg_operational__hospital_stay'), 'hospital_stay_id') }}
)

{{ cells_of_images('named', ref('stg_operational__hospital_stay'), 'hospital_stay_id', 'hospital_stay', 'admitted_at') }}
