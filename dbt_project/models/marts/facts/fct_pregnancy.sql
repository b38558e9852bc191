-- Grain: one row per pregnancy that is not voided; it stands at the organisation that leads it now.
-- What depends on the day (term, trimester) is computed when it is asked, out of the dates.
{{ config(unique_key='pregnancy_id', partition_by='year(event_date)') }}

select
  * exclude (deleted_flag),
  coalesce(ended_on, date '9999-12-31') as open_until,
  organisations > 1 as taken_over_flag,
  cast(floor((registered_on - last_menstrual_date) / 7) as integer) as registered_weeks,
  case
    when registered_on - last_menstrual_date <= 84 then 'to_12'
    when registered_on - last_menstrual_date < 196 then 'from_13_to_27'
    when registered_on is not null then 'from_28'
  end as registration_band,
  registered_on - last_menstrual_date <= 84 as early_flag,
  {{ parity_group('para') }} as parity_group,
  cast(1 as integer) as pregnancies,
  cast(coalesce(registered_on - last_menstrual_date <= 84, false) as integer) as early,
  cast(coalesce(risk_group = 'high', false) as integer) as high_risk,
  deleted_flag
from {{ ref('int_pregnancies__placed') }}
