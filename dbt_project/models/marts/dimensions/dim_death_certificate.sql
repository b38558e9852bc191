-- Grain: one row per death that is not voided and has a certificate. Its number leads to a person, so it stands in no fact.
{{ config(unique_key='death_id') }}

with touched as (
  select distinct key as death_id
  from ({{ entries_of('death') }}) as batch
)

select
  touched.death_id,
  death.certificate_number,
  death.certificate_number is null as deleted_flag
from touched
left join {{ ref('stg_operational__death') }} as death
  on touched.death_id = death.death_id and death.voided_at is null
