-- Grain: one row per visit and image (as it is, and as it was before the batch) that the batch can move in any fact.
-- affected_xid lets a reader leave out what an earlier pass left here.
with named as (
  select
    key as encounter_id,
    xid
  from ({{ entries_of('encounter') }}) as batch
  {%- for child in ['condition', 'procedure', 'service_request'] %}
  union all
  select
    unnest(list_distinct([
      {{ image('encounter_id', 'bigint') }}, {{ image('encounter_id', 'bigint', 'old') }}
    ])),
    xid
  from ({{ entries_of(child) }}) as batch
  {%- endfor %}
  union all
  select
    visit.encounter_id,
    affected.affected_xid
  from {{ ref('stg_operational__encounter') }} as visit
  inner join {{ ref('int_patients__affected') }} as affected
    on
      visit.patient_id = affected.patient_id
      and visit.event_date >= affected.changed_from
      and visit.event_date < affected.changed_to
  where affected.affected_xid > {{ from_xid() }}
  union all
  select
    visit.encounter_id,
    affected.affected_xid
  from {{ ref('stg_operational__encounter') }} as visit
  inner join {{ ref('int_organisations__affected') }} as affected
    on
      visit.owner_organisation_id = affected.organisation_id
      and visit.event_date >= affected.changed_from
      and visit.event_date < affected.changed_to
  where affected.affected_xid > {{ from_xid() }}
  union all
  select
    visit.encounter_id,
    post.xid
  from {{ ref('stg_operational__encounter') }} as visit
  inner join ({{ entries_of('practitioner_role') }}) as post on visit.practitioner_role_id = post.key
  where {{ touches(['specialty_code', 'position_code']) }}
  union all
  select
    diagnosis.encounter_id,
    code.xid
  from ({{ entries_of('icd10') }}) as code
  -- an equality for the join: a choice of four columns would compare every code with every other
  inner join (
    select
      icd10_code,
      unnest(list_distinct([icd10_code, category_code, block_code, chapter_code])) as code_above
    from {{ ref('dim_icd10') }}
  ) as tree on {{ image('code') }} = tree.code_above
  inner join {{ ref('stg_operational__condition') }} as diagnosis on tree.icd10_code = diagnosis.icd10_code
  where {{ touches(['level', 'parent_code']) }}
),

images as (
  select
    named.encounter_id,
    visit.patient_id,
    visit.event_date,
    visit.owner_organisation_id,
    named.xid
  from named
  left join {{ ref('stg_operational__encounter') }} as visit on named.encounter_id = visit.encounter_id
  where named.encounter_id is not null
  union all
  select
    key,
    {{ image('patient_id', 'bigint', 'old') }},
    {{ local_date(image('started_at', 'timestamptz', 'old')) }},
    {{ image('owner_organisation_id', 'bigint', 'old') }},
    xid
  from ({{ entries_of('encounter') }}) as batch
  where old_row is not null
)

select
  encounter_id,
  patient_id,
  event_date,
  owner_organisation_id,
  max(xid) as affected_xid
from images
group by all
