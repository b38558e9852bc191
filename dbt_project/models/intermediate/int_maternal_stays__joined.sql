-- Grain: one row per hospital stay that the batch touches, is not voided and is one of a pregnant woman: a pregnancy
-- covers the admission, or ended not longer before it than the limit of days, or, without a registered pregnancy, a
-- diagnosis says so. Of several pregnancies (two records of one person) the one that goes on and was registered first.
{{ config(materialized='ephemeral') }}

with touched as (
  {{ touched_keys(ref('int_maternal_stays__affected'), 'hospital_stay_id') }}
),

coded as (
  select distinct diagnosis.stay_id
  from touched
  inner join {{ ref('stg_operational__stay_diagnosis') }} as diagnosis on touched.hospital_stay_id = diagnosis.stay_id
  inner join {{ ref('maternal_stay_codes') }} as code on starts_with(diagnosis.icd10_code, code.code)
  where diagnosis.voided_at is null
),

after_end as (
  select at_least as days
  from {{ ref('maternal_critical_limits') }}
  where measure = 'postpartum_days'
)

select
  stay.hospital_stay_id,
  stay.patient_id,
  stay.event_date,
  stay.owner_organisation_id,
  stay.practitioner_id,
  stay.presentation_id,
  stay.case_number,
  stay.admission_type,
  stay.arrival_channel,
  stay.condition,
  stay.admitted_at,
  stay.discharged_at,
  stay.outcome,
  led.pregnancy_id,
  led.owner_organisation_id as leading_organisation_id,
  led.registered_on,
  led.last_menstrual_date,
  led.expected_delivery_date,
  led.para,
  led.risk_group,
  led.ended_on,
  case
    when led.pregnancy_id is null then 'unregistered'
    when led.ended_on < stay.event_date then 'after'
    else 'pregnant'
  end as phase
from touched
inner join {{ ref('stg_operational__hospital_stay') }} as stay on touched.hospital_stay_id = stay.hospital_stay_id
inner join {{ ref('int_patients__persons') }} as person on stay.patient_id = person.patient_id
cross join after_end
left join {{ ref('int_pregnancies__led') }} as led
  on
    person.person_id = led.person_id
    and not led.voided_flag
    and stay.event_date >= led.last_menstrual_date
    and stay.event_date <= coalesce(led.ended_on + after_end.days, date '9999-12-31')
left join coded on stay.hospital_stay_id = coded.stay_id
where stay.voided_at is null and (led.pregnancy_id is not null or coded.stay_id is not null)
qualify row_number() over (
  partition by stay.hospital_stay_id
  order by coalesce(led.ended_on < stay.event_date, false), led.registered_on, led.pregnancy_id
) = 1
