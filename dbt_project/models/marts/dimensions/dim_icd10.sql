-- Grain: one row per class, block or code of ICD-10 with its places in the tree.
-- injury_flag: S00-T98. chronic_group: the narrowest range of chronic_group_codes. form12_row: the narrowest range of
-- form12_row_codes that holds the code.
with recursive tree as (
  select
    code as leaf_code,
    level,
    parent_code,
    case when level = 'chapter' then code end as chapter_code,
    case when level = 'block' then code end as block_code,
    case when level = 'category' then code end as category_code,
    1 as depth
  from {{ ref('stg_operational__icd10') }}
  union all
  select
    tree.leaf_code,
    tree.level,
    above.parent_code,
    coalesce(tree.chapter_code, case when above.level = 'chapter' then above.code end),
    coalesce(tree.block_code, case when above.level = 'block' then above.code end),
    coalesce(tree.category_code, case when above.level = 'category' then above.code end),
    tree.depth + 1
  from tree
  inner join {{ ref('stg_operational__icd10') }} as above on tree.parent_code = above.code
  where tree.depth < 8
),

placed as (
  select
    leaf_code as icd10_code,
    max(chapter_code) as chapter_code,
    max(block_code) as block_code,
    max(category_code) as category_code
  from tree
  group by leaf_code
),

chronic as (
  select
    code.code,
    min(ranges.chronic_group) as chronic_group
  from {{ ref('stg_operational__icd10') }} as code
  inner join {{ ref('chronic_group_codes') }} as ranges
    on left(code.code, length(ranges.code_from)) between ranges.code_from and ranges.code_to
  where code.level not in ('chapter', 'block')
  group by code.code
),

form12 as (
  select
    code.code,
    arg_min(ranges.form12_row, ranges.span) as form12_row
  from {{ ref('stg_operational__icd10') }} as code
  inner join {{ ref('form12_row_codes') }} as ranges
    on left(code.code, length(ranges.code_from)) between ranges.code_from and ranges.code_to
  where code.level not in ('chapter', 'block')
  group by code.code
)

select
  code.code as icd10_code,
  code.level,
  code.parent_code,
  placed.category_code,
  placed.block_code,
  placed.chapter_code,
  code.name_kk,
  code.name_ru,
  category.name_kk as category_name_kk,
  category.name_ru as category_name_ru,
  block.name_kk as block_name_kk,
  block.name_ru as block_name_ru,
  chapter.name_kk as chapter_name_kk,
  chapter.name_ru as chapter_name_ru,
  code.level not in ('chapter', 'block') and left(code.code, 3) between 'S00' and 'T98' as injury_flag,
  chronic.chronic_group,
  form12.form12_row,
  code.active_flag,
  code.valid_from,
  coalesce(code.valid_to, date '9999-12-31') as valid_to
from {{ ref('stg_operational__icd10') }} as code
inner join placed on code.code = placed.icd10_code
left join {{ ref('stg_operational__icd10') }} as category on placed.category_code = category.code
left join {{ ref('stg_operational__icd10') }} as block on placed.block_code = block.code
left join {{ ref('stg_operational__icd10') }} as chapter on placed.chapter_code = chapter.code
left join chronic on code.code = chronic.code
left join form12 on code.code = form12.code
