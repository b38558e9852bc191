-- Grain: one row per territory of the classifier KATO.
select
  code as kato_code,
  level,
  parent_code,
  name_kk,
  name_ru,
  draft_flag
from {{ ref('stg_operational__kato') }}
