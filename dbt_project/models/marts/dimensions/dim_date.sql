-- Grain: one row per day from 2000 to 2050.
select
  cast(day as date) as date_day,
  cast(year(day) as integer) as year,
  cast(quarter(day) as integer) as quarter,
  cast(month(day) as integer) as month,
  cast(date_trunc('month', day) as date) as month_start,
  cast(weekofyear(day) as integer) as iso_week,
  cast(isodow(day) as integer) as day_of_week,
  isodow(day) in (6, 7) as weekend_flag
from generate_series(timestamp '2000-01-01', timestamp '2050-12-31', interval 1 day) as days (day)
