-- Grain: one row per person and span of days attached to one site; spans of a person do not overlap.
-- The attachments of all records of a person are one history; where two hold on a day, the survivor's wins, then the
-- later one. It ends with the person's death, and a record entered in error is attached nowhere: rows valid on a day
-- are the attached population of that day.
{{ config(unique_key='person_id') }}

with touched as (
  select patient_id as person_id
  from {{ ref('int_patients__affected') }}
  where affected_xid > {{ from_xid() }}
  union
  select person.person_id
  from {{ ref('int_patients__affected') }} as affected
  inner join {{ ref('int_patients__persons') }} as person on affected.patient_id = person.patient_id
  where affected.affected_xid > {{ from_xid() }}
),

attachments as (
  select
    attachment.attachment_id,
    person.person_id,
    person.person_no,
    person.sex,
    person.birth_date,
    person.urban_flag,
    attachment.organisation_id,
    attachment.site_id,
    attachment.valid_from,
    least(
      coalesce(attachment.valid_to, date '9999-12-31'), coalesce(person.death_date + 1, date '9999-12-31')
    ) as valid_to,
    person.patient_id = person.person_id as own_flag
  from touched
  inner join {{ ref('int_patients__persons') }} as person on touched.person_id = person.person_id
  inner join {{ ref('stg_operational__attachment') }} as attachment on person.patient_id = attachment.patient_id
  where not person.voided_flag and attachment.valid_from < coalesce(person.death_date + 1, date '9999-12-31')
),

ends as (
  select
    person_id,
    unnest([valid_from, valid_to]) as day
  from attachments
),

days as (
  select distinct
    person_id,
    day
  from ends
),

spans as (
  select
    person_id,
    day as valid_from,
    lead(day) over (partition by person_id order by day) as valid_to
  from days
),

resolved as (
  select attachments.* replace (spans.valid_from as valid_from, spans.valid_to as valid_to)
  from spans
  inner join attachments
    on
      spans.person_id = attachments.person_id
      and spans.valid_from >= attachments.valid_from
      and spans.valid_to <= attachments.valid_to
  qualify row_number() over (
    partition by spans.person_id, spans.valid_from
    order by attachments.own_flag desc, attachments.valid_from desc, attachments.attachment_id desc
  ) = 1
)

select
  touched.person_id,
  resolved.attachment_id || ':' || resolved.valid_from as attachment_version_id,
  resolved.attachment_id,
  resolved.person_no,
  resolved.organisation_id,
  resolved.site_id,
  resolved.sex,
  resolved.birth_date,
  resolved.urban_flag,
  resolved.valid_from,
  resolved.valid_to,
  resolved.person_id is null as deleted_flag
from touched
left join resolved on touched.person_id = resolved.person_id
