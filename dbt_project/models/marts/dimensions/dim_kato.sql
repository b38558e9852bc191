-- Grain: one row per territory of the classifier KATO with the region and the district that it lies in, by the tree
-- and never by the digits of the code: codes made here until the classifier names a place have none.
select
  place.code as kato_code,
  place.level,
  place.parent_code,
  case
    when place.level in ('oblast', 'city_of_republican_significance') then place.code
    when above.level in ('oblast', 'city_of_republican_significance') then above.code
    else above.parent_code
  end as region_code,
  case
    when place.level in ('district', 'city_akimat') then place.code
    when above.level in ('district', 'city_akimat') then above.code
  end as district_code,
  place.name_kk,
  place.name_ru,
  place.draft_flag
from {{ ref('stg_operational__kato') }} as place
left join {{ ref('stg_operational__kato') }} as above on place.parent_code = above.code
