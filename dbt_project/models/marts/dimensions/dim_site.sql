-- Grain: one row per site (участок) of primary care.
select
  site_id,
  organisation_id,
  code,
  kind,
  name_kk,
  name_ru,
  valid_from,
  coalesce(valid_to, date '9999-12-31') as valid_to
from {{ ref('stg_operational__site') }}
