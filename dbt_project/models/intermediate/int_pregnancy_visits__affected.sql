-- Grain: one row per visit of a pregnant woman and image (as it is, and as it was before the batch) that the batch can
-- move. affected_xid lets a reader leave out what an earlier pass left here.
with named as (
  select
    key as pregnancy_visit_id,
    xid
  from ({{ entries_of('pregnancy_visit') }}) as batch
  union all
  select
    visit.pregnancy_visit_id,
    pregnancy.xid
  from {{ ref('stg_operational__pregnancy_visit') }} as visit
  inner join ({{ entries_of('pregnancy') }}) as pregnancy on visit.pregnancy_id = pregnancy.key
  where {{ touches(['last_menstrual_date', 'risk_group', 'para', 'voided_at']) }}
  union all
  {{ moved_with_context(ref('stg_operational__pregnancy_visit'), 'pregnancy_visit_id') }}
)

{{ cells_of_images(
  'named', ref('stg_operational__pregnancy_visit'), 'pregnancy_visit_id', 'pregnancy_visit', 'visited_at'
) }}
