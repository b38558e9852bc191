-- Grain: one row per death that is not voided, wherever it happened.
{{ config(unique_key='death_id', partition_by='year(event_date)') }}

with touched as (
  select distinct death_id
  from {{ ref('int_deaths__affected') }}
)

select
  touched.death_id,
  {{ fact_place('death') }},
  death.died_at,
  death.time_known_flag,
  death.place,
  death.place = 'hospital' as in_hospital_flag,
  death.hospital_organisation_id,
  death.stay_id,
  death.underlying_icd10_code,
  death.underlying_icd10_category,
  death.underlying_icd10_block,
  death.underlying_icd10_chapter,
  death.immediate_icd10_code,
  death.autopsy_flag,
  death.maternal,
  death.maternal in ('pregnant', 'in_birth', 'within_42_days') as maternal_flag,
  death.registered_at,
  death.last_discharge_date,
  cast(death.event_date - death.last_discharge_date as integer) as days_since_discharge,
  cast(1 as integer) as deaths,
  cast(death.place = 'hospital' as integer) as in_hospital,
  cast(death.maternal in ('pregnant', 'in_birth', 'within_42_days') as integer) as maternal_deaths,
  cast(coalesce(death.event_date - death.last_discharge_date <= 30, false) as integer) as within_30_days_of_discharge,
  death.death_id is null as deleted_flag
from touched
left join {{ ref('int_deaths__placed') }} as death on touched.death_id = death.death_id
