-- Grain: one row per stay that the batch touches and that is not voided, with where everybody stood at admission, the
-- organisation's place in the tree at discharge, and the death that ended it.
{{ config(materialized='ephemeral') }}

with stays as (
  select
    stay.*,
    part.first_department_id as department_id,
    part.* exclude (stay_id),
    {{ role_at('stay.practitioner_id', 'stay.owner_organisation_id', 'stay.event_date', 'part.first_department_id') }}
      as practitioner_role_id
  from {{ ref('int_stays__parts') }} as part
  inner join {{ ref('stg_operational__hospital_stay') }} as stay on part.stay_id = stay.hospital_stay_id
  where stay.voided_at is null
)

select
  stay.hospital_stay_id as stay_id,
  {{ place_columns('stay', 'admitted_at', person=true) }},
  stay.financing_source,
  stay.presentation_id,
  arrival.service_request_id,
  stay.case_number,
  stay.admission_type,
  stay.hospital_kind,
  stay.arrival_channel,
  stay.referring_organisation_id,
  stay.condition,
  stay.admitted_at,
  stay.discharged_at,
  stay.discharged_date,
  coalesce(stay.discharged_date, date '9999-12-31') as left_date,
  left_tree.region_id as discharge_region_id,
  left_tree.district_id as discharge_district_id,
  stay.last_department_id,
  stay.first_bed_profile,
  stay.last_bed_profile,
  stay.outcome,
  stay.treatment_result,
  stay.target_organisation_id,
  stay.signed_at is not null as signed_flag,
  stay.movements_count,
  stay.operations_count,
  stay.transfusions_count,
  stay.operations_count > 0 as operated_flag,
  stay.icu_flag,
  death.death_id,
  coalesce(death.died_at, case when stay.outcome = 'died' then stay.discharged_at end) as died_at,
  death.underlying_icd10 as underlying_icd10_code,
  death.immediate_icd10 as immediate_icd10_code,
  death.autopsy_flag
from stays as stay
left join {{ ref('stg_operational__hospital_presentation') }} as arrival
  on stay.presentation_id = arrival.hospital_presentation_id
left join {{ ref('dim_organisation') }} as left_tree
  on
    stay.owner_organisation_id = left_tree.organisation_id
    and stay.discharged_date >= left_tree.valid_from
    and stay.discharged_date < left_tree.valid_to
{{ place_joins('stay', person='stays') }}
left join {{ ref('int_deaths__valid') }} as death
  on person.person_id = death.person_id and stay.outcome = 'died'
