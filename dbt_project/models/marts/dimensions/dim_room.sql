-- Grain: one row per room.
select
  room_id,
  organisation_id,
  department_id,
  code,
  name_kk,
  name_ru
from {{ ref('stg_operational__room') }}
