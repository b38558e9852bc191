-- Grain: one row per number of a record, with the number of the person it belongs to now.
-- Narrow, so that a merge changes one row here and no fact.
{{ config(unique_key='patient_no') }}

with touched as (
  select distinct
    key as patient_id,
    coalesce({{ image('patient_no', 'integer') }}, {{ image('patient_no', 'integer', 'old') }}) as patient_no
  from ({{ entries_of('patient') }}) as batch
  where {{ touches(['merged_into_id', 'patient_no']) }}
)

select
  touched.patient_no,
  person.person_no,
  person.patient_id is null as deleted_flag
from touched
left join {{ ref('int_patients__persons') }} as person on touched.patient_id = person.patient_id
