-- Grain: one row per hospital stay of a pregnant woman, or of one whose pregnancy ended not long ago; not voided.
{{ config(unique_key='hospital_stay_id', partition_by='year(event_date)') }}

select
  * exclude (icu_seconds, deleted_flag),
  {{ local_date('discharged_at') }} as discharged_date,
  coalesce({{ local_date('discharged_at') }}, date '9999-12-31') as open_until,
  cast(floor((least(event_date, coalesce(ended_on, event_date)) - last_menstrual_date) / 7) as integer)
    as gestation_weeks,
  case when phase = 'after' then 'after' else {{ trimester('(event_date - last_menstrual_date)') }} end as trimester,
  {{ parity_group('para') }} as parity_group,
  cast(icu_seconds / 3600 as decimal(10, 1)) as icu_hours,
  case
    when preeclampsia_flag then 'preeclampsia' when transfusion_flag then 'transfusion'
    when high_pressure_flag then 'high_pressure' when chills_flag then 'chills' when icu_flag then 'intensive_care'
    when phase is not null then 'none'
  end as critical_reason,
  preeclampsia_flag or transfusion_flag or high_pressure_flag or chills_flag or icu_flag as critical_flag,
  cast(1 as integer) as stays,
  cast(coalesce(preeclampsia_flag, false) as integer) as preeclampsia,
  cast(coalesce(chills_flag, false) as integer) as chills,
  cast(coalesce(high_pressure_flag, false) as integer) as high_pressure,
  cast(coalesce(transfusion_flag, false) as integer) as transfusions,
  cast(coalesce(icu_flag, false) as integer) as in_icu,
  cast(coalesce(preeclampsia_flag or transfusion_flag or high_pressure_flag or chills_flag or icu_flag, false) as integer)
    as critical,
  deleted_flag
from {{ ref('int_maternal_stays__placed') }}
