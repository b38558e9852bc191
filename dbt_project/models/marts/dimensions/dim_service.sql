-- Grain: one row per service and span of days in which its price stayed the same; a service without a price has one row.
select
  service.code || ':' || coalesce(tariff.valid_from, service.valid_from) as service_version_id,
  service.code as service_code,
  service.name_kk,
  service.name_ru,
  service.class_code,
  class.name_kk as class_name_kk,
  class.name_ru as class_name_ru,
  service.unit,
  service.active_flag,
  tariff.amount_kzt as tariff_kzt,
  coalesce(tariff.valid_from, service.valid_from) as valid_from,
  coalesce(tariff.valid_to, service.valid_to, date '9999-12-31') as valid_to,
  row_number() over (
    partition by service.code order by coalesce(tariff.valid_to, date '9999-12-31') desc
  ) = 1 as current_flag
from {{ ref('stg_operational__service') }} as service
left join {{ ref('stg_operational__service_tariff') }} as tariff on service.code = tariff.service_code
left join {{ ref('stg_operational__coded_value') }} as class
  on class.directory_code = 'service_class' and service.class_code = class.code
