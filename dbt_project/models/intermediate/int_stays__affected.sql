-- Grain: one row per hospital stay and image (as it is, and as it was before the batch) that the batch can move in any
-- fact. affected_xid lets a reader leave out what an earlier pass left here.
with moved_codes as materialized (
  select
    icd10_code,
    xid
  from {{ ref('int_icd10__moved') }}
),

posts as materialized (
  {{ changed_posts() }}
),

named as (
  select
    key as stay_id,
    xid
  from ({{ entries_of('hospital_stay') }}) as batch
  {%- for child in ['stay_diagnosis', 'ward_movement', 'stay_operation', 'transfusion'] %}
  union all
  {{ named_in(child, 'stay_id') }}
  {%- endfor %}
  union all
  select
    stay.hospital_stay_id,
    arrival.xid
  from {{ ref('stg_operational__hospital_stay') }} as stay
  inner join ({{ entries_of('hospital_presentation') }}) as arrival on stay.presentation_id = arrival.key
  where {{ touches(['service_request_id']) }}
  union all
  select
    stay.hospital_stay_id,
    dead.xid
  from (
    {{ named_in('death', 'patient_id') }}
    union all
    select
      death.patient_id,
      moved_codes.xid
    from moved_codes
    inner join {{ ref('stg_operational__death') }} as death on moved_codes.icd10_code = death.underlying_icd10
  ) as dead
  inner join {{ ref('int_patients__persons') }} as person on dead.patient_id = person.patient_id
  inner join {{ ref('int_patients__persons') }} as record on person.person_id = record.person_id
  inner join {{ ref('stg_operational__hospital_stay') }} as stay on record.patient_id = stay.patient_id
  union all
  select
    stay.hospital_stay_id,
    affected.affected_xid
  from {{ ref('stg_operational__hospital_stay') }} as stay
  inner join {{ ref('int_patients__affected') }} as affected
    on
      stay.patient_id = affected.patient_id
      and stay.event_date < affected.changed_to
      and coalesce(stay.discharged_date, date '9999-12-31') >= affected.changed_from
  where affected.affected_xid > {{ from_xid() }}
  union all
  select
    stay.hospital_stay_id,
    affected.affected_xid
  from {{ ref('stg_operational__hospital_stay') }} as stay
  inner join {{ ref('int_organisations__affected') }} as affected
    on
      stay.owner_organisation_id = affected.organisation_id
      and stay.event_date < affected.changed_to
      and coalesce(stay.discharged_date, date '9999-12-31') >= affected.changed_from
  where affected.affected_xid > {{ from_xid() }}
  union all
  select
    stay.hospital_stay_id,
    posts.xid
  from posts
  inner join {{ ref('stg_operational__hospital_stay') }} as stay on posts.practitioner_id = stay.practitioner_id
  union all
  select
    operation.stay_id,
    posts.xid
  from posts
  inner join {{ ref('stg_operational__stay_operation') }} as operation on posts.practitioner_id = operation.surgeon_id
  union all
  select
    transfusion.stay_id,
    posts.xid
  from posts
  inner join {{ ref('stg_operational__transfusion') }} as transfusion
    on posts.practitioner_id = transfusion.practitioner_id
  union all
  select
    performed.stay_id,
    kind.xid
  from ({{ entries_of('operation') }}) as kind
  inner join {{ ref('stg_operational__stay_operation') }} as performed
    on performed.operation_code in ({{ image('code') }}, {{ image('code', side='old') }})
  where {{ touches(['code', 'class_code']) }}
  union all
  select
    diagnosis.stay_id,
    moved_codes.xid
  from moved_codes
  inner join {{ ref('stg_operational__stay_diagnosis') }} as diagnosis on moved_codes.icd10_code = diagnosis.icd10_code
  union all
  select
    movement.stay_id,
    ward.xid
  from ({{ entries_of('department') }}) as ward
  inner join {{ ref('stg_operational__ward_movement') }} as movement on ward.key = movement.department_id
  where {{ touches(['kind']) }}
),

images as (
  select
    named.stay_id,
    stay.patient_id,
    stay.presentation_id,
    stay.event_date as admitted_date,
    stay.discharged_date,
    stay.owner_organisation_id,
    named.xid
  from named
  left join {{ ref('stg_operational__hospital_stay') }} as stay on named.stay_id = stay.hospital_stay_id
  where named.stay_id is not null
  union all
  select
    key,
    {{ image('patient_id', 'bigint', 'old') }},
    {{ image('presentation_id', 'bigint', 'old') }},
    {{ local_date(image('admitted_at', 'timestamptz', 'old')) }},
    {{ local_date(image('discharged_at', 'timestamptz', 'old')) }},
    {{ image('owner_organisation_id', 'bigint', 'old') }},
    xid
  from ({{ entries_of('hospital_stay') }}) as batch
  where old_row is not null
)

select
  stay_id,
  patient_id,
  presentation_id,
  admitted_date,
  discharged_date,
  owner_organisation_id,
  max(xid) as affected_xid
from images
group by all
