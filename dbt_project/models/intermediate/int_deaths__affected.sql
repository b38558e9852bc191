-- Grain: one row per death and image (as it is, and as it was before the batch) that the batch can move.
{{ config(materialized='ephemeral') }}

with moved_codes as materialized (
  select icd10_code
  from {{ ref('int_icd10__moved') }}
),

named as (
  select key as death_id
  from ({{ entries_of('death') }}) as batch
  union
  select death.death_id
  from {{ ref('int_stays__affected') }} as affected
  inner join {{ ref('int_patients__persons') }} as person on affected.patient_id = person.patient_id
  inner join {{ ref('int_patients__persons') }} as record on person.person_id = record.person_id
  inner join {{ ref('stg_operational__death') }} as death on record.patient_id = death.patient_id
  where affected.affected_xid > {{ from_xid() }}
  union
  select death.death_id
  from {{ ref('stg_operational__death') }} as death
  inner join {{ ref('int_patients__affected') }} as affected
    on
      death.patient_id = affected.patient_id
      and death.event_date >= affected.changed_from
      and death.event_date < affected.changed_to
  where affected.affected_xid > {{ from_xid() }}
  union
  select death.death_id
  from {{ ref('stg_operational__death') }} as death
  inner join {{ ref('int_organisations__affected') }} as affected
    on
      death.owner_organisation_id = affected.organisation_id
      and death.event_date >= affected.changed_from
      and death.event_date < affected.changed_to
  where affected.affected_xid > {{ from_xid() }}
  union
  select death.death_id
  from moved_codes
  inner join {{ ref('stg_operational__death') }} as death
    on moved_codes.icd10_code in (death.underlying_icd10, death.immediate_icd10)
)

select
  named.death_id,
  death.event_date,
  death.owner_organisation_id
from named
left join {{ ref('stg_operational__death') }} as death on named.death_id = death.death_id
where named.death_id is not null
union
select
  key,
  {{ local_date(image('died_at', 'timestamptz', 'old')) }},
  {{ image('owner_organisation_id', 'bigint', 'old') }}
from ({{ entries_of('death') }}) as batch
where old_row is not null
