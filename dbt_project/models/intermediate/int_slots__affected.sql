-- Grain: one row per slot and image (as it is, and as it was before the batch) that the batch can move.
with plans as (
  select plan.schedule_id
  from {{ ref('stg_operational__schedule') }} as plan
  inner join ({{ entries_of('practitioner_role') }}) as post on plan.practitioner_role_id = post.key
  where {{ touches(['specialty_code', 'position_code']) }}
),

named as (
  select key as slot_id
  from ({{ entries_of('slot') }}) as batch
  union
  select unnest([{{ image('slot_id', 'bigint') }}, {{ image('slot_id', 'bigint', 'old') }}])
  from ({{ entries_of('appointment') }}) as batch
  union
  select piece.slot_id
  from {{ ref('stg_operational__slot') }} as piece
  inner join ({{ entries_of('schedule') }}) as plan on piece.schedule_id = plan.key
  union
  select piece.slot_id
  from {{ ref('stg_operational__slot') }} as piece
  inner join {{ ref('int_organisations__affected') }} as affected
    on
      piece.owner_organisation_id = affected.organisation_id
      and piece.event_date >= affected.changed_from
      and piece.event_date < affected.changed_to
  where affected.affected_xid > {{ from_xid() }}
  union
  select slot_id
  from {{ rows_of(ref('stg_operational__slot'), 'schedule_id', 'plans') }}
)

select
  named.slot_id,
  piece.event_date,
  piece.owner_organisation_id
from named
left join {{ rows_of(ref('stg_operational__slot'), 'slot_id', 'named') }} as piece on named.slot_id = piece.slot_id
where named.slot_id is not null
union
select
  key,
  {{ local_date(image('starts_at', 'timestamptz', 'old')) }},
  {{ image('owner_organisation_id', 'bigint', 'old') }}
from ({{ entries_of('slot') }}) as batch
where old_row is not null
