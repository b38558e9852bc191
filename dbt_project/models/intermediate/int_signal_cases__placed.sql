-- Grain: one row per signal case that the batch touches, with its place, the active made for it, the last
-- operation of its stay, and for a death the last visit before it. The site and the doctor are those of the case: who
-- was made to answer.
{{ config(materialized='ephemeral') }}

with touched as (
  {{ touched_keys(ref('int_signal_cases__affected'), 'signal_case_id') }}
),

cases as (
  select
    sheet.* exclude (voided_at),
    person.person_id,
    cast(null as bigint) as department_id
  from touched
  inner join {{ ref('stg_operational__signal_case') }} as sheet on touched.signal_case_id = sheet.signal_case_id
  inner join {{ ref('int_patients__persons') }} as person on sheet.patient_id = person.patient_id
  where sheet.voided_at is null
),

records as (
  select
    cases.signal_case_id,
    cases.subject,
    cases.event_at,
    record.patient_id
  from cases
  inner join {{ ref('int_patients__persons') }} as record on cases.person_id = record.person_id
),

actives as (
  select
    records.signal_case_id,
    min(call.called_at) as active_called_at,
    min(call.performed_at) filter (where call.status = 'done') as active_performed_at
  from records
  inner join {{ ref('stg_operational__home_call') }} as call
    on records.patient_id = call.patient_id and records.event_at <= call.called_at
  where call.kind = 'active' and call.status <> 'cancelled' and call.voided_at is null
  group by records.signal_case_id
),

visits as (
  select
    records.signal_case_id,
    max(visit.event_date) as last_visit_date
  from records
  inner join {{ rows_of(ref('stg_operational__encounter'), 'patient_id', 'records') }} as visit
    on records.patient_id = visit.patient_id and records.event_at >= visit.started_at
  where records.subject = 'death' and visit.status = 'finished' and visit.voided_at is null
  group by records.signal_case_id
),

operations as (
  select
    cases.signal_case_id,
    arg_max(operated.operation_code, (operated.started_at, operated.stay_operation_id)) as operation_code,
    max(operated.event_date) as operation_date
  from cases
  inner join {{ ref('stg_operational__stay_operation') }} as operated
    on cases.subject = 'hospital_stay' and cases.subject_id = operated.stay_id
  where operated.voided_at is null
  group by cases.signal_case_id
),

placed as (
  select
    touched.signal_case_id,
    {{ place_columns('sheet', 'event_at', person=true, post=false) }},
    sheet.site_id as case_site_id,
    sheet.rule_code,
    sheet.rule_version,
    sheet.subject,
    sheet.subject_id,
    sheet.severity,
    sheet.audience,
    sheet.reason_code,
    sheet.origin_organisation_id,
    sheet.icd10_code,
    sheet.nurse_id,
    sheet.state,
    sheet.outcome,
    sheet.event_at,
    sheet.opened_at,
    sheet.due_at,
    sheet.delivered_at,
    sheet.seen_at,
    sheet.contacted_at,
    sheet.visited_at,
    sheet.closed_at,
    actives.active_called_at,
    actives.active_performed_at,
    visits.last_visit_date,
    operations.operation_code,
    operations.operation_date,
    sheet.signal_case_id is null as deleted_flag
  from touched
  left join cases as sheet on touched.signal_case_id = sheet.signal_case_id
  left join actives on touched.signal_case_id = actives.signal_case_id
  left join visits on touched.signal_case_id = visits.signal_case_id
  left join operations on touched.signal_case_id = operations.signal_case_id
  {{ place_joins('sheet', person='cases', post=false) }}
)

select
  * exclude (site_id, case_site_id),
  case_site_id as site_id
from placed
