-- Grain: one row per newborn, live or still, that is not voided; one newborn of a delivery stands for the delivery.
{{ config(unique_key='birth_id', partition_by='year(event_date)') }}

select
  * exclude (deleted_flag),
  coalesce(vital_status = 'live', false) as live_flag,
  coalesce(starts_with(delivery_mode, 'caesarean'), false) as caesarean_flag,
  case
    when weight_g < 1000 then 'below_1000' when weight_g < 1500 then 'from_1000' when weight_g < 2500 then 'from_1500'
    when weight_g < 4000 then 'from_2500' when weight_g is not null then 'from_4000'
  end as weight_group,
  cast(1 as integer) as births,
  cast(coalesce(delivery_flag, false) as integer) as deliveries,
  cast(coalesce(delivery_flag and starts_with(delivery_mode, 'caesarean'), false) as integer) as caesareans,
  cast(coalesce(vital_status = 'live', false) as integer) as live_births,
  cast(coalesce(vital_status <> 'live', false) as integer) as stillbirths,
  cast(coalesce(vital_status = 'live' and gestation_weeks < 37, false) as integer) as preterm,
  cast(coalesce(vital_status = 'live' and weight_g < 2500, false) as integer) as low_weight,
  deleted_flag
from {{ ref('int_births__placed') }}
