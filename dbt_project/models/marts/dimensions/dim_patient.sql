-- Grain: one row per record of a person and span of days with one residence. The only mart with direct identifiers.
-- Name, identifiers, birth date and sex are the newest in every version: a correction corrects the past. A change of
-- residence is a move: it opens a version on the local day on which it was recorded.
{{ config(unique_key='patient_id') }}

with touched as (
  select key as patient_id
  from ({{ entries_of('patient') }}) as batch
  union
  select resident.patient_id
  from {{ ref('stg_operational__patient') }} as resident
  inner join (
    select {{ image('code') }} as code
    from ({{ entries_of('kato') }}) as entry
  ) as renamed on resident.residence_kato = renamed.code
),

recorded as (
  select
    entry.key as patient_id,
    {{ local_date('entry.recorded_at') }} as recorded_date,
    arg_max({
      'kato': {{ image('residence_kato') }}, 'urban': {{ image('urban_flag', 'boolean') }}
    }, entry.feed_id) as residence
  from {{ source('bronze', 'change') }} as entry
  inner join touched on entry.key = touched.patient_id
  where
    entry.table_name = 'patient'
    and entry.xid <= {{ to_xid() }}
    and entry.new_row is not null
    and {{ touches(['residence_kato', 'urban_flag']) }}
  group by entry.key, recorded_date
),

moves as (
  select
    *,
    lag(residence) over of_person as previous,
    row_number() over of_person as number
  from recorded
  window of_person as (partition by patient_id order by recorded_date)
),

versions as (
  select
    patient_id,
    residence,
    case when number = 1 then date '1900-01-01' else recorded_date end as valid_from
  from moves
  where number = 1 or residence is distinct from previous
)

select
  touched.patient_id,
  touched.patient_id || ':' || versions.valid_from as patient_version_id,
  record.patient_no,
  person.person_id,
  person.person_no,
  record.owner_organisation_id,
  record.iin,
  record.surname,
  record.given_name,
  record.patronymic,
  concat_ws(' ', record.surname, record.given_name, record.patronymic) as full_name,
  record.earlier_surnames,
  record.name_key,
  record.sort_key,
  record.birth_date,
  record.sex,
  record.identity_kind,
  record.document_number,
  record.citizenship,
  record.phone,
  record.address,
  record.iin_mismatch_reason,
  record.death_date,
  record.voided_at is not null as voided_flag,
  record.merged_into_id is not null as merged_flag,
  versions.residence.kato as residence_kato,
  place.region_code as residence_region_kato,
  place.district_code as residence_district_kato,
  versions.residence.urban as urban_flag,
  versions.valid_from,
  lead(versions.valid_from, 1, date '9999-12-31') over (
    partition by touched.patient_id order by versions.valid_from
  ) as valid_to,
  lead(versions.valid_from) over (partition by touched.patient_id order by versions.valid_from) is null as current_flag,
  record.patient_id is null as deleted_flag
from touched
left join {{ ref('stg_operational__patient') }} as record on touched.patient_id = record.patient_id
left join {{ ref('int_patients__persons') }} as person on touched.patient_id = person.patient_id
left join versions on touched.patient_id = versions.patient_id
left join {{ ref('dim_kato') }} as place on versions.residence.kato = place.kato_code
