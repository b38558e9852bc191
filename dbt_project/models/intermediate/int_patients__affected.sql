-- Grain: one row per record of a person and span of days in which the batch changed where its events belong:
-- own data, merges and separations, attachments, and the doctor of the site.
-- affected_xid lets a reader leave out what an earlier pass left here.
with own as (
  select
    unnest(list_distinct([
      key, {{ image('merged_into_id', 'bigint') }}, {{ image('merged_into_id', 'bigint', 'old') }}
    ])) as patient_id,
    xid
  from ({{ entries_of('patient') }}) as batch
  where {{ touches(['birth_date', 'sex', 'residence_kato', 'urban_flag', 'death_date', 'voided_at', 'merged_into_id']) }}
),

spans as (
  select
    patient_id,
    date '1900-01-01' as changed_from,
    date '9999-12-31' as changed_to,
    xid
  from own
  where patient_id is not null
  union all
  select
    owner_id,
    changed_from,
    changed_to,
    xid
  from ({{ changed_days('attachment', 'patient_id', ['organisation_id', 'site_id']) }}) as attached
  union all
  select
    attachment.patient_id,
    greatest(served.changed_from, attachment.valid_from),
    least(served.changed_to, attachment.valid_to),
    served.xid
  from ({{ changed_days('site_assignment', 'site_id', ['practitioner_id', 'duty']) }}) as served
  inner join {{ ref('stg_operational__attachment') }} as attachment
    on
      served.owner_id = attachment.site_id
      and served.changed_from < coalesce(attachment.valid_to, date '9999-12-31')
      and served.changed_to > attachment.valid_from
),

named as (
  select
    patient_id,
    person_id
  from {{ ref('int_patients__persons') }}
  where patient_id in (select patient_id from spans)
)

-- A change of one record moves the events of every record of the same person.
select
  spans.changed_from,
  spans.changed_to,
  coalesce(records.patient_id, spans.patient_id) as patient_id,
  max(spans.xid) as affected_xid
from spans
left join named on spans.patient_id = named.patient_id
left join {{ rows_of(ref('int_patients__persons'), 'person_id', 'named') }} as records
  on named.person_id = records.person_id
group by all
