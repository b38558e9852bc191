-- Grain: one row per stay that the batch touches, with what happened in it: departments, operations, transfusions.
{{ config(materialized='ephemeral') }}

with wards as (
  select
    stay_id,
    arg_min(department_id, movement_number) as first_department_id,
    arg_max(department_id, movement_number) as last_department_id,
    arg_min(bed_profile, movement_number) as first_bed_profile,
    arg_max(bed_profile, movement_number) as last_bed_profile,
    bool_or(icu_flag) as icu_flag,
    count(*) as movements
  from {{ ref('int_movements__ordered') }}
  group by stay_id
),

operations as (
  select
    operation.stay_id,
    count(*) as operations
  from {{ ref('int_stays__touched') }} as touched
  inner join {{ ref('stg_operational__stay_operation') }} as operation on touched.stay_id = operation.stay_id
  where operation.voided_at is null
  group by operation.stay_id
),

transfusions as (
  select
    transfusion.stay_id,
    count(*) as transfusions
  from {{ ref('int_stays__touched') }} as touched
  inner join {{ ref('stg_operational__transfusion') }} as transfusion on touched.stay_id = transfusion.stay_id
  where transfusion.voided_at is null
  group by transfusion.stay_id
)

select
  touched.stay_id,
  wards.first_department_id,
  wards.last_department_id,
  wards.first_bed_profile,
  wards.last_bed_profile,
  coalesce(wards.icu_flag, false) as icu_flag,
  cast(coalesce(wards.movements, 0) as integer) as movements_count,
  cast(coalesce(operations.operations, 0) as integer) as operations_count,
  cast(coalesce(transfusions.transfusions, 0) as integer) as transfusions_count
from {{ ref('int_stays__touched') }} as touched
left join wards on touched.stay_id = wards.stay_id
left join operations on touched.stay_id = operations.stay_id
left join transfusions on touched.stay_id = transfusions.stay_id
