-- Grain: one row per transfusion during a stay that is not voided, of a stay that is not voided. Replaced by stays.
{{ config(unique_key='stay_id', partition_by='year(event_date)') }}

with events as (
  select
    event.*,
    {{ role_at('event.practitioner_id', 'event.owner_organisation_id', 'event.event_date', 'event.department_id') }}
      as practitioner_role_id
  from {{ ref('int_transfusions__given') }} as event
),

placed as (
  select
    event.stay_id,
    event.transfusion_id,
    {{ place_columns('event', 'started_at', person=true) }},
    event.financing_source,
    event.case_number,
    event.admission_type,
    event.hospital_kind,
    event.bed_profile,
    event.component,
    event.blood_group,
    event.rhesus,
    event.volume_ml,
    event.started_at,
    event.ended_at,
    event.reaction_flag
  from events as event
  {{ place_joins('event', person='events') }}
)

select
  touched.stay_id,
  placed.transfusion_id,
  {{ fact_place('placed') }},
  placed.financing_source,
  placed.case_number,
  placed.admission_type,
  placed.hospital_kind,
  placed.bed_profile,
  placed.component,
  placed.blood_group,
  placed.rhesus,
  placed.volume_ml,
  placed.started_at,
  placed.ended_at,
  placed.reaction_flag,
  cast(1 as integer) as transfusions,
  cast(placed.reaction_flag as integer) as reactions,
  placed.transfusion_id is null as deleted_flag
from {{ ref('int_stays__touched') }} as touched
left join placed on touched.stay_id = placed.stay_id
