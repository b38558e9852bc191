-- Grain: one row per newborn that the batch touches, with the place of its mother; one newborn stands for the delivery.
{{ config(materialized='ephemeral') }}

with touched as (
  {{ touched_keys(ref('int_births__affected'), 'birth_id') }}
),

valid as (
  select
    *,
    row_number() over (partition by patient_id, delivery_date order by birth_order, birth_id) as number
  from {{ ref('stg_operational__birth') }}
  where voided_at is null
),

births as (
  select valid.*
  from touched
  inner join valid on touched.birth_id = valid.birth_id
)

select
  touched.birth_id,
  {{ place_columns('birth', 'born_at', person=true, post=false) }},
  birth.pregnancy_id,
  birth.born_at,
  birth.delivery_date,
  birth.birth_order,
  birth.plurality,
  birth.place,
  birth.vital_status,
  birth.sex as child_sex,
  birth.delivery_mode,
  birth.gestation_weeks,
  birth.weight_g,
  birth.length_cm,
  birth.apgar_1,
  birth.apgar_5,
  birth.number = 1 as delivery_flag,
  birth.birth_id is null as deleted_flag
from touched
left join births as birth on touched.birth_id = birth.birth_id
{{ place_joins('birth', person='births', post=false) }}
