-- Grain: one row per record of a person, with the person it belongs to: the survivor of its merges, or itself.
-- Kept as a table, since nearly every fact looks persons up.
{{ config(unique_key='patient_id') }}

with named as (
  select
    unnest(list_distinct([
      key, {{ image('merged_into_id', 'bigint') }}, {{ image('merged_into_id', 'bigint', 'old') }}
    ])) as patient_id
  from ({{ entries_of('patient') }}) as batch
),

-- What is said of a survivor stands in the rows of all records that were merged into it.
touched as (
  select patient_id
  from named
  where patient_id is not null
  union
  select record.patient_id
  from named
  inner join {{ ref('stg_operational__patient') }} as record on named.patient_id = record.merged_into_id
)

select
  touched.patient_id,
  record.patient_no,
  survivor.patient_id as person_id,
  survivor.patient_no as person_no,
  survivor.sex,
  survivor.birth_date,
  survivor.urban_flag,
  survivor.death_date,
  survivor.voided_at is not null as voided_flag,
  survivor.patient_id is null as deleted_flag
from touched
left join {{ ref('stg_operational__patient') }} as record on touched.patient_id = record.patient_id
left join {{ ref('stg_operational__patient') }} as survivor
  on survivor.patient_id = coalesce(record.merged_into_id, record.patient_id)
