-- Grain: one row per operation during a stay that is not voided, of a stay that is not voided. Replaced by stays.
{{ config(unique_key='stay_id', partition_by='year(event_date)') }}

with events as (
  select
    event.*,
    {{ role_at('event.practitioner_id', 'event.owner_organisation_id', 'event.event_date', 'event.department_id') }}
      as practitioner_role_id
  from {{ ref('int_operations__performed') }} as event
),

placed as (
  select
    event.stay_id,
    event.stay_operation_id,
    {{ place_columns('event', 'started_at', person=true) }},
    event.financing_source,
    event.case_number,
    event.admission_type,
    event.hospital_kind,
    event.bed_profile,
    event.operation_code,
    event.operation_class_code,
    event.urgency,
    event.anaesthesia,
    event.started_at,
    event.ended_at,
    event.complication_flag
  from events as event
  {{ place_joins('event', person='events') }}
)

select
  touched.stay_id,
  placed.stay_operation_id,
  {{ fact_place('placed') }},
  placed.financing_source,
  placed.case_number,
  placed.admission_type,
  placed.hospital_kind,
  placed.bed_profile,
  placed.operation_code,
  placed.operation_class_code,
  placed.urgency,
  placed.anaesthesia,
  placed.started_at,
  placed.ended_at,
  placed.complication_flag,
  cast(date_diff('minute', placed.started_at, placed.ended_at) as integer) as duration_minutes,
  cast(1 as integer) as operations,
  cast(placed.urgency in ('urgent', 'emergency') as integer) as emergency_operations,
  cast(placed.complication_flag as integer) as complications,
  placed.stay_operation_id is null as deleted_flag
from {{ ref('int_stays__touched') }} as touched
left join placed on touched.stay_id = placed.stay_id
