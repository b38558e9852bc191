-- Grain: one row per surgical operation of the directory.
select
  operation.code as operation_code,
  operation.name_kk,
  operation.name_ru,
  operation.class_code,
  class.name_kk as class_name_kk,
  class.name_ru as class_name_ru,
  operation.active_flag
from {{ ref('stg_operational__operation') }} as operation
left join {{ ref('stg_operational__coded_value') }} as class
  on class.directory_code = 'operation_class' and operation.class_code = class.code
