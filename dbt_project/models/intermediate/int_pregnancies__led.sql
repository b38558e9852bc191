-- Grain: one row per pregnancy, with who leads it now and who led it first; a pregnancy stands where it is led now.
{{ config(materialized='ephemeral') }}

with turns as (
  select
    pregnancy_id,
    owner_organisation_id,
    practitioner_id,
    row_number() over from_newest as newest,
    row_number() over from_first as number,
    count(*) over (partition by pregnancy_id) as organisations
  from {{ ref('stg_operational__pregnancy_care') }}
  window
    from_newest as (
      partition by pregnancy_id order by valid_to is null desc, valid_from desc, pregnancy_care_id desc
    ),
    from_first as (partition by pregnancy_id order by valid_from, pregnancy_care_id)
),

care as (
  select
    pregnancy_id,
    any_value(owner_organisation_id) filter (where newest = 1) as organisation_id,
    any_value(practitioner_id) filter (where newest = 1) as practitioner_id,
    any_value(owner_organisation_id) filter (where number = 1) as first_organisation_id,
    any_value(organisations) as organisations
  from turns
  group by pregnancy_id
)

select
  pregnancy.pregnancy_id,
  pregnancy.patient_id,
  person.person_id,
  coalesce(care.organisation_id, pregnancy.owner_organisation_id) as owner_organisation_id,
  care.practitioner_id,
  coalesce(care.first_organisation_id, pregnancy.owner_organisation_id) as first_organisation_id,
  coalesce(care.organisations, 1) as organisations,
  pregnancy.registered_on as event_date,
  pregnancy.registered_on,
  pregnancy.last_menstrual_date,
  pregnancy.expected_delivery_date,
  pregnancy.gravida,
  pregnancy.para,
  pregnancy.risk_group,
  pregnancy.ended_on,
  pregnancy.outcome,
  pregnancy.voided_at is not null as voided_flag
from {{ ref('stg_operational__pregnancy') }} as pregnancy
inner join {{ ref('int_patients__persons') }} as person on pregnancy.patient_id = person.patient_id
left join care on pregnancy.pregnancy_id = care.pregnancy_id
