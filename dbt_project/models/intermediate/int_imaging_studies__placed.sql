-- Grain: one row per imaging study that the batch touches, with its order and its place; only what has its person.
{{ config(materialized='ephemeral') }}

with touched as (
  {{ touched_keys(ref('int_imaging_studies__affected'), 'imaging_study_id') }}
),

studies as (
  select
    study.* exclude (modality, body_part, voided_at),
    coalesce(study.modality, ordered.modality) as modality,
    coalesce(study.body_part, ordered.body_part) as body_part,
    ordered.department_id,
    ordered.practitioner_id,
    ordered.priority,
    ordered.ordered_at,
    ordered.owner_organisation_id as ordering_organisation_id
  from touched
  inner join {{ ref('stg_operational__imaging_study') }} as study on touched.imaging_study_id = study.imaging_study_id
  left join {{ ref('stg_operational__diagnostic_order') }} as ordered on study.order_id = ordered.diagnostic_order_id
  where study.voided_at is null and study.patient_id is not null
)

select
  touched.imaging_study_id,
  {{ place_columns('study', 'started_at', person=true, post=false) }},
  study.ordering_organisation_id,
  study.order_id,
  study.device_id,
  study.modality,
  study.body_part,
  study.status,
  study.matched_by,
  study.priority,
  study.series,
  study.instances,
  study.ordered_at,
  study.started_at,
  study.received_at,
  study.matched_at,
  study.imaging_study_id is null as deleted_flag
from touched
left join studies as study on touched.imaging_study_id = study.imaging_study_id
{{ place_joins('study', person='studies', post=false) }}
