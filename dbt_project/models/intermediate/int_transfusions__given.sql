-- Grain: one row per transfusion that is not voided, of a stay that the batch touches and that is not voided.
-- The department is the one where the patient lay at its beginning.
{{ config(materialized='ephemeral') }}

select
  transfusion.*,
  ward.department_id,
  ward.bed_profile,
  stay.case_number,
  stay.admission_type,
  stay.hospital_kind,
  stay.financing_source
from {{ ref('int_stays__touched') }} as touched
inner join {{ ref('stg_operational__hospital_stay') }} as stay on touched.stay_id = stay.hospital_stay_id
inner join {{ ref('stg_operational__transfusion') }} as transfusion on touched.stay_id = transfusion.stay_id
left join {{ ref('int_movements__ordered') }} as ward
  on
    transfusion.stay_id = ward.stay_id
    and transfusion.started_at >= ward.started_at
    and (ward.next_at is null or transfusion.started_at < ward.next_at)
where stay.voided_at is null and transfusion.voided_at is null
