-- Grain: one row per operation that is not voided, of a stay that the batch touches and that is not voided.
-- The department is the one where the patient lay at its beginning.
{{ config(materialized='ephemeral') }}

select
  operation.* exclude (complication),
  operation.complication is not null as complication_flag,
  operation.surgeon_id as practitioner_id,
  ward.department_id,
  ward.bed_profile,
  stay.case_number,
  stay.admission_type,
  stay.hospital_kind,
  stay.financing_source,
  kind.class_code as operation_class_code
from {{ ref('int_stays__touched') }} as touched
inner join {{ ref('stg_operational__hospital_stay') }} as stay on touched.stay_id = stay.hospital_stay_id
inner join {{ ref('stg_operational__stay_operation') }} as operation on touched.stay_id = operation.stay_id
left join {{ ref('int_movements__ordered') }} as ward
  on
    operation.stay_id = ward.stay_id
    and operation.started_at >= ward.started_at
    and (ward.next_at is null or operation.started_at < ward.next_at)
left join {{ ref('dim_operation') }} as kind on operation.operation_code = kind.operation_code
where stay.voided_at is null and operation.voided_at is null
