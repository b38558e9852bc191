-- Grain: one row per laboratory value that the batch touches, with its report, its order and its place.
{{ config(materialized='ephemeral') }}

with touched as (
  {{ touched_keys(ref('int_lab_results__affected'), 'lab_result_id') }}
),

results as (
  select
    result.* exclude (voided_at),
    ordered.department_id,
    coalesce(ordered.practitioner_id, report.practitioner_id) as practitioner_id,
    report.order_id,
    report.source as result_source,
    report.issued_at,
    ordered.priority,
    ordered.ordered_at,
    ordered.owner_organisation_id as ordering_organisation_id
  from touched
  inner join {{ ref('stg_operational__lab_result') }} as result on touched.lab_result_id = result.lab_result_id
  inner join {{ ref('stg_operational__diagnostic_report') }} as report on result.report_id = report.diagnostic_report_id
  left join {{ ref('stg_operational__diagnostic_order') }} as ordered on report.order_id = ordered.diagnostic_order_id
  where result.voided_at is null and report.voided_at is null
)

select
  touched.lab_result_id,
  {{ place_columns('result', 'observed_at', person=true, post=false) }},
  result.ordering_organisation_id,
  result.report_id,
  result.order_id,
  result.test_code,
  result.device_code,
  result.value_kind,
  result.value_number,
  result.comparator,
  result.unit,
  result.reference_low,
  result.reference_high,
  result.interpretation,
  result.status,
  result.result_source,
  result.priority,
  result.ordered_at,
  result.observed_at,
  result.issued_at,
  result.lab_result_id is null as deleted_flag
from touched
left join results as result on touched.lab_result_id = result.lab_result_id
{{ place_joins('result', person='results', post=false) }}
