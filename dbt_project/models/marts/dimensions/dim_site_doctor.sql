-- Grain: one row per site and span of days in which one doctor answered for it; spans of a site do not overlap.
select
  site_assignment_id,
  site_id,
  practitioner_id,
  valid_from,
  coalesce(valid_to, date '9999-12-31') as valid_to
from {{ ref('stg_operational__site_assignment') }}
where duty = 'doctor'
