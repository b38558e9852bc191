-- Grain: one row per movement (part of a stay in one department and bed) that is not voided, of a stay that is not voided.
-- Replaced by stays: where one movement ends depends on the next and on the stay. It holds beds from bed_from to bed_to
-- (excluded, 9999-12-31 while open); how many days of a period that makes is counted when asked, so no day of an open
-- stay waits for a pass.
{{ config(unique_key='stay_id', partition_by='year(event_date)') }}

with movements as (
  select
    movement.*,
    {{ role_at('movement.practitioner_id', 'movement.owner_organisation_id', 'movement.event_date', 'movement.department_id') }}
      as practitioner_role_id
  from {{ ref('int_movements__ordered') }} as movement
),

placed as (
  select
    movement.stay_id,
    movement.ward_movement_id,
    {{ place_columns('movement', 'started_at', person=true) }},
    movement.financing_source,
    movement.case_number,
    movement.admission_type,
    movement.hospital_kind,
    movement.bed_profile,
    movement.ward,
    movement.bed,
    movement.icu_flag,
    movement.started_at,
    movement.ended_at,
    movement.movement_number,
    movement.first_flag,
    movement.last_flag,
    movement.bed_from,
    movement.bed_to,
    movement.left_date
  from movements as movement
  {{ place_joins('movement', person='movements') }}
)

select
  touched.stay_id,
  placed.ward_movement_id,
  {{ fact_place('placed') }},
  placed.financing_source,
  placed.case_number,
  placed.admission_type,
  placed.hospital_kind,
  placed.bed_profile,
  placed.ward,
  placed.bed,
  placed.icu_flag,
  placed.started_at,
  placed.ended_at,
  cast(placed.movement_number as integer) as movement_number,
  placed.bed_from,
  placed.bed_to,
  placed.left_date,
  placed.left_date = date '9999-12-31' as open_flag,
  case when placed.bed_to < date '9999-12-31' then cast(placed.bed_to - placed.bed_from as integer) end as bed_days,
  cast(1 as integer) as movements,
  cast(not placed.first_flag as integer) as transferred_in,
  cast(not placed.last_flag as integer) as transferred_out,
  placed.ward_movement_id is null as deleted_flag
from {{ ref('int_stays__touched') }} as touched
left join placed on touched.stay_id = placed.stay_id
