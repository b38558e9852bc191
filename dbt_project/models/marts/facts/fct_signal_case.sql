-- Grain: one row per case of a signal sheet that is not voided; the organisation is the one that answers for it.
-- Whether it is overdue is computed when it is asked, out of due_at and closed_at.
{{ config(unique_key='signal_case_id', partition_by='year(event_date)') }}

select
  * exclude (deleted_flag),
  case when subject = 'hospital_stay' then subject_id end as hospital_stay_id,
  case when subject = 'death' then subject_id end as death_id,
  least(contacted_at, visited_at, active_performed_at) as first_contact_at,
  cast(
    {{ local_date('least(contacted_at, visited_at, active_performed_at)') }} - event_date as integer
  ) as days_to_first_contact,
  active_called_at is not null as active_flag,
  practitioner_id is null as nobody_flag,
  cast(case when subject = 'death' then event_date - last_visit_date end as integer) as days_since_last_visit,
  cast(1 as integer) as cases,
  cast(coalesce(state <> 'closed', false) as integer) as open_cases,
  cast(coalesce(severity = 'critical', false) as integer) as critical,
  cast(coalesce(closed_at > due_at, false) as integer) as closed_late,
  cast(active_called_at is not null as integer) as with_active,
  cast(least(contacted_at, visited_at, active_performed_at) is not null as integer) as contacted,
  deleted_flag
from {{ ref('int_signal_cases__placed') }}
