-- Grain: one row per laboratory value and image (as it is, and as it was before the batch) that the batch can move.
-- affected_xid lets a reader leave out what an earlier pass left here.
with reports as (
  select
    report.diagnostic_report_id,
    ordered.xid
  from {{ ref('stg_operational__diagnostic_report') }} as report
  inner join ({{ entries_of('diagnostic_order') }}) as ordered on report.order_id = ordered.key
  where {{ touches(['owner_organisation_id', 'ordered_at', 'priority', 'department_id', 'practitioner_id']) }}
),

named as (
  select
    key as lab_result_id,
    xid
  from ({{ entries_of('lab_result') }}) as batch
  union all
  select
    result.lab_result_id,
    report.xid
  from {{ ref('stg_operational__lab_result') }} as result
  inner join ({{ entries_of('diagnostic_report') }}) as report on result.report_id = report.key
  where {{ touches(['order_id', 'source', 'issued_at', 'practitioner_id', 'voided_at']) }}
  union all
  select
    result.lab_result_id,
    reports.xid
  from reports
  inner join {{ rows_of(ref('stg_operational__lab_result'), 'report_id', 'reports', named='diagnostic_report_id') }}
    as result
    on reports.diagnostic_report_id = result.report_id
  union all
  {{ moved_with_context(ref('stg_operational__lab_result'), 'lab_result_id') }}
)

{{ cells_of_images('named', ref('stg_operational__lab_result'), 'lab_result_id', 'lab_result', 'observed_at') }}
