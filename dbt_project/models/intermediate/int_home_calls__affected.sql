-- Grain: one row per home call and image (as it is, and as it was before the batch) that the batch can move.
-- affected_xid lets a reader leave out what an earlier pass left here.
with named as (
  select
    key as home_call_id,
    xid
  from ({{ entries_of('home_call') }}) as batch
  union all
  {{ moved_with_context(ref('stg_operational__home_call'), 'home_call_id') }}
)

{{ cells_of_images('named', ref('stg_operational__home_call'), 'home_call_id', 'home_call', 'called_at') }}
