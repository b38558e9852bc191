-- Grain: one row per entry of a small directory.
select
  directory_code || ':' || code as coded_value_id,
  directory_code,
  code,
  name_kk,
  name_ru,
  sort_order,
  active_flag
from {{ ref('stg_operational__coded_value') }}
