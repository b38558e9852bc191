-- Grain: one row per home call that the batch touches, with its place; the site is that of the call where it has one.
{{ config(materialized='ephemeral') }}

with touched as (
  {{ touched_keys(ref('int_home_calls__affected'), 'home_call_id') }}
),

calls as (
  select
    call.* exclude (voided_at),
    cast(null as bigint) as department_id
  from touched
  inner join {{ ref('stg_operational__home_call') }} as call on touched.home_call_id = call.home_call_id
  where call.voided_at is null
),

placed as (
  select
    touched.home_call_id,
    {{ place_columns('call', 'called_at', person=true, post=false) }},
    call.site_id as call_site_id,
    call.kind,
    call.source,
    call.urgency,
    call.status,
    call.cancel_reason,
    call.called_at,
    call.due_at,
    call.assigned_at,
    call.performed_at,
    call.encounter_id,
    call.home_call_id is null as deleted_flag
  from touched
  left join calls as call on touched.home_call_id = call.home_call_id
  {{ place_joins('call', person='calls', post=false) }}
)

select
  * exclude (site_id, call_site_id),
  coalesce(call_site_id, site_id) as site_id
from placed
