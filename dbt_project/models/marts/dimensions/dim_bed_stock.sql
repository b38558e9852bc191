-- Grain: one row per department, bed profile and span of days with one number of beds and one place in the tree.
select
  stock.bed_stock_id || ':' || greatest(stock.valid_from, tree.valid_from) as bed_stock_version_id,
  stock.bed_stock_id,
  stock.organisation_id as owner_organisation_id,
  tree.region_id,
  tree.district_id,
  stock.department_id,
  ward.kind as department_kind,
  coalesce(ward.kind = 'intensive_care', false) as icu_flag,
  stock.bed_profile,
  stock.hospital_kind,
  cast(stock.beds as integer) as beds,
  greatest(stock.valid_from, tree.valid_from) as valid_from,
  least(coalesce(stock.valid_to, date '9999-12-31'), tree.valid_to) as valid_to
from {{ ref('stg_operational__bed_stock') }} as stock
inner join {{ ref('dim_organisation') }} as tree
  on
    stock.organisation_id = tree.organisation_id
    and stock.valid_from < tree.valid_to
    and coalesce(stock.valid_to, date '9999-12-31') > tree.valid_from
left join {{ ref('dim_department') }} as ward on stock.department_id = ward.department_id
