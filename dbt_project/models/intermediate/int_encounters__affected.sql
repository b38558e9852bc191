-- Grain: one row per visit and image (as it is, and as it was before the batch) that the batch can move in any fact.
-- affected_xid lets a reader leave out what an earlier pass left here. A visit of which only a diagnosis, a service or a
-- referral changed has that flag alone; any other change of it moves all three.
with codes as (
  select
    {{ image('code') }} as icd10_code,
    xid
  from ({{ entries_of('icd10') }}) as batch
  where {{ touches(['level', 'parent_code']) }}
),

-- Materialized, so that a pass without changed codes never joins the diagnoses.
moved_codes as materialized (
  select
    tree.icd10_code,
    max(codes.xid) as xid
  from codes
  inner join {{ ref('dim_icd10') }} as tree
    on codes.icd10_code in (tree.icd10_code, tree.category_code, tree.block_code, tree.chapter_code)
  group by tree.icd10_code
),

named as (
  select
    key as encounter_id,
    'encounter' as part,
    xid
  from ({{ entries_of('encounter') }}) as batch
  {%- for child in ['condition', 'procedure', 'service_request'] %}
  union all
  select
    unnest(list_distinct([
      {{ image('encounter_id', 'bigint') }}, {{ image('encounter_id', 'bigint', 'old') }}
    ])),
    '{{ child }}',
    xid
  from ({{ entries_of(child) }}) as batch
  {%- endfor %}
  union all
  select
    visit.encounter_id,
    'encounter',
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
    'encounter',
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
    'encounter',
    post.xid
  from {{ ref('stg_operational__encounter') }} as visit
  inner join ({{ entries_of('practitioner_role') }}) as post on visit.practitioner_role_id = post.key
  where {{ touches(['specialty_code', 'position_code']) }}
  union all
  select
    diagnosis.encounter_id,
    'encounter',
    moved_codes.xid
  from moved_codes
  inner join {{ ref('stg_operational__condition') }} as diagnosis on moved_codes.icd10_code = diagnosis.icd10_code
),

images as (
  select
    named.encounter_id,
    visit.patient_id,
    visit.event_date,
    visit.owner_organisation_id,
    visit.practitioner_id,
    named.part,
    named.xid
  from named
  left join {{ rows_of(ref('stg_operational__encounter'), 'encounter_id', 'named') }} as visit
    on named.encounter_id = visit.encounter_id
  where named.encounter_id is not null
  union all
  select
    key,
    {{ image('patient_id', 'bigint', 'old') }},
    {{ local_date(image('started_at', 'timestamptz', 'old')) }},
    {{ image('owner_organisation_id', 'bigint', 'old') }},
    {{ image('practitioner_id', 'bigint', 'old') }},
    'encounter',
    xid
  from ({{ entries_of('encounter') }}) as batch
  where old_row is not null
)

select
  encounter_id,
  patient_id,
  event_date,
  owner_organisation_id,
  practitioner_id,
  bool_or(part in ('encounter', 'condition')) as diagnoses_flag,
  bool_or(part in ('encounter', 'procedure')) as services_flag,
  bool_or(part in ('encounter', 'service_request')) as referrals_flag,
  max(xid) as affected_xid
from images
group by all
