-- Grain: one row per person who died: the earliest death that is not voided of the person's records.
{{ config(materialized='ephemeral') }}

select
  person.person_id,
  death.*
from {{ ref('stg_operational__death') }} as death
inner join {{ ref('int_patients__persons') }} as person on death.patient_id = person.patient_id
where death.voided_at is null
qualify row_number() over (partition by person.person_id order by death.died_at, death.death_id) = 1
