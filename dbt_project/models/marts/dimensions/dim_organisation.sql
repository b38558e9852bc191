-- Grain: one row per organisation and span of days in which its name, parent and place in the tree stayed the same.
-- The first version of an organisation reaches back to 1900-01-01, so that no event is older than its organisation.
with recursive versions as (
  select
    version.organisation_version_id,
    version.organisation_id,
    organisation.code,
    organisation.kind,
    organisation.bin,
    version.parent_id,
    version.name_kk,
    version.name_ru,
    version.kato_code,
    version.perinatal_level,
    case
      when row_number() over (partition by version.organisation_id order by version.valid_from) = 1
        then date '1900-01-01'
      else version.valid_from
    end as valid_from,
    coalesce(version.valid_to, date '9999-12-31') as valid_to
  from {{ ref('stg_operational__organisation_version') }} as version
  inner join {{ ref('stg_operational__organisation') }} as organisation
    on version.organisation_id = organisation.organisation_id
),

climb as (
  select
    organisation_version_id,
    valid_from,
    valid_to,
    parent_id as next_id,
    cast([] as bigint[]) as ancestor_ids,
    case when kind = 'district' then organisation_id end as district_id,
    case when kind = 'region' then organisation_id end as region_id
  from versions
  union all
  select
    climb.organisation_version_id,
    greatest(climb.valid_from, above.valid_from),
    least(climb.valid_to, above.valid_to),
    above.parent_id,
    list_append(climb.ancestor_ids, above.organisation_id),
    coalesce(climb.district_id, case when above.kind = 'district' then above.organisation_id end),
    coalesce(climb.region_id, case when above.kind = 'region' then above.organisation_id end)
  from climb
  inner join versions as above
    on
      climb.next_id = above.organisation_id
      and climb.valid_from < above.valid_to
      and climb.valid_to > above.valid_from
  where not list_contains(climb.ancestor_ids, climb.next_id)
)

select
  versions.organisation_version_id || ':' || climb.valid_from as organisation_version_id,
  versions.organisation_id,
  versions.code,
  versions.kind,
  versions.bin,
  versions.parent_id,
  climb.district_id,
  climb.region_id,
  climb.ancestor_ids,
  versions.name_kk,
  versions.name_ru,
  versions.kato_code,
  versions.perinatal_level,
  territory.name_kk as kato_name_kk,
  territory.name_ru as kato_name_ru,
  climb.valid_from,
  climb.valid_to,
  row_number() over (partition by versions.organisation_id order by climb.valid_to desc) = 1 as current_flag
from climb
inner join versions on climb.organisation_version_id = versions.organisation_version_id
left join {{ ref('stg_operational__kato') }} as territory on versions.kato_code = territory.code
where climb.next_id is null
