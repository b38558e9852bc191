-- Grain: one row per movement that is not voided, of a stay that the batch touches and that is not voided.
-- A day of a stay belongs to the department where the patient was at its end. The day of admission counts, that of
-- discharge does not, except in a day hospital and for a stay that begins and ends on one day. So the bed days of its
-- movements add up to those of the stay. Source: from general knowledge of hospital statistics, verify.
{{ config(materialized='ephemeral') }}

with parts as (
  select
    movement.*,
    stay.event_date as admitted_date,
    stay.discharged_date,
    stay.discharged_at,
    stay.practitioner_id,
    stay.hospital_kind,
    stay.admission_type,
    stay.financing_source,
    stay.case_number,
    ward.kind as department_kind,
    ward.kind = 'intensive_care' as icu_flag,
    case
      when stay.hospital_kind = 'day' or stay.discharged_date = stay.event_date then stay.discharged_date + 1
      else stay.discharged_date
    end as stay_until,
    row_number() over forward as movement_number,
    lead(movement.event_date) over forward as next_date,
    lead(movement.started_at) over forward as next_at
  from {{ ref('int_stays__touched') }} as touched
  inner join {{ ref('stg_operational__hospital_stay') }} as stay on touched.stay_id = stay.hospital_stay_id
  inner join {{ ref('stg_operational__ward_movement') }} as movement on touched.stay_id = movement.stay_id
  left join {{ ref('dim_department') }} as ward on movement.department_id = ward.department_id
  where stay.voided_at is null and movement.voided_at is null
  window forward as (partition by movement.stay_id order by movement.started_at, movement.ward_movement_id)
),

ends as (
  select
    *,
    case when movement_number = 1 then least(event_date, admitted_date) else event_date end as bed_from,
    coalesce(next_date, stay_until, {{ local_date('ended_at') }}, date '9999-12-31') as bed_end,
    coalesce(ended_at, next_at, discharged_at) as left_at
  from parts
)

select
  * exclude (bed_end),
  movement_number = 1 as first_flag,
  next_at is null as last_flag,
  greatest(bed_from, bed_end) as bed_to,
  coalesce({{ local_date('left_at') }}, date '9999-12-31') as left_date
from ends
