-- Grain: one row per laboratory test of the directory.
select
  code as test_code,
  name_kk,
  name_ru,
  loinc,
  specimen,
  unit,
  panel,
  active_flag
from {{ ref('stg_operational__lab_test') }}
