-- Grain: one row per imaging study and image (as it is, and as it was before the batch) that the batch can move.
-- affected_xid lets a reader leave out what an earlier pass left here.
with named as (
  select
    key as imaging_study_id,
    xid
  from ({{ entries_of('imaging_study') }}) as batch
  union all
  select
    study.imaging_study_id,
    ordered.xid
  from {{ ref('stg_operational__imaging_study') }} as study
  inner join ({{ entries_of('diagnostic_order') }}) as ordered on study.order_id = ordered.key
  where {{ touches([
    'owner_organisation_id', 'ordered_at', 'priority', 'department_id', 'practitioner_id', 'modality', 'body_part'
  ]) }}
  union all
  {{ moved_with_context(ref('stg_operational__imaging_study'), 'imaging_study_id') }}
)

{{ cells_of_images('named', ref('stg_operational__imaging_study'), 'imaging_study_id', 'imaging_study', 'started_at') }}
