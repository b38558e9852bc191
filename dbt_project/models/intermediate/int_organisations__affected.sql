-- Grain: one row per organisation and span of days in which the batch changed its place in the tree.
-- affected_xid lets a reader leave out what an earlier pass left here.
with spans as (
  select
    owner_id,
    changed_from,
    changed_to,
    xid
  from ({{ changed_days('organisation_version', 'organisation_id', ['parent_id']) }}) as moved
  union all
  select
    key,
    date '1900-01-01',
    date '9999-12-31',
    xid
  from ({{ entries_of('organisation') }}) as batch
  where {{ touches(['kind']) }}
)

select
  tree.organisation_id,
  spans.changed_from,
  spans.changed_to,
  max(spans.xid) as affected_xid
from spans
inner join {{ ref('dim_organisation') }} as tree
  on tree.organisation_id = spans.owner_id or list_contains(tree.ancestor_ids, spans.owner_id)
group by all
