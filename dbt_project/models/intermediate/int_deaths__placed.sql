-- Grain: one row per death that the batch touches and that is not voided, with where the person stood, the stay in which
-- the person died, and the last stay that the person left alive.
{{ config(materialized='ephemeral') }}

with touched as (
  select distinct death_id
  from {{ ref('int_deaths__affected') }}
),

deaths as (
  select
    death.*,
    cast(null as bigint) as department_id,
    cast(null as bigint) as practitioner_id,
    cast(null as bigint) as practitioner_role_id
  from touched
  inner join {{ ref('stg_operational__death') }} as death on touched.death_id = death.death_id
  where death.voided_at is null
),

stays as (
  select
    death.death_id,
    arg_max(stay.hospital_stay_id, (stay.discharged_at, stay.hospital_stay_id)) filter (
      where stay.outcome = 'died'
    ) as stay_id,
    max(stay.discharged_date) filter (
      where stay.outcome <> 'died' and stay.discharged_at <= death.died_at
    ) as last_discharge_date
  from deaths as death
  inner join {{ ref('int_patients__persons') }} as person on death.patient_id = person.patient_id
  inner join {{ ref('int_patients__persons') }} as record on person.person_id = record.person_id
  inner join {{ ref('stg_operational__hospital_stay') }} as stay on record.patient_id = stay.patient_id
  where stay.voided_at is null
  group by death.death_id
)

select
  death.death_id,
  {{ place_columns('death', 'died_at', person=true) }},
  death.died_at,
  death.time_known_flag,
  death.place,
  death.hospital_organisation_id,
  death.underlying_icd10 as underlying_icd10_code,
  cause.category_code as underlying_icd10_category,
  cause.block_code as underlying_icd10_block,
  cause.chapter_code as underlying_icd10_chapter,
  death.immediate_icd10 as immediate_icd10_code,
  death.autopsy_flag,
  death.maternal,
  death.registered_at,
  stays.stay_id,
  stays.last_discharge_date
from deaths as death
left join stays on death.death_id = stays.death_id
left join {{ ref('dim_icd10') }} as cause on death.underlying_icd10 = cause.icd10_code
{{ place_joins('death', person='deaths') }}
