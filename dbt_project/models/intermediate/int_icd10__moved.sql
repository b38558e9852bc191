-- Grain: one row per code of ICD-10 whose place in the tree the batch can move.
{{ config(materialized='ephemeral') }}

with codes as (
  select
    {{ image('code') }} as icd10_code,
    xid
  from ({{ entries_of('icd10') }}) as batch
  where {{ touches(['level', 'parent_code']) }}
)

select
  tree.icd10_code,
  max(codes.xid) as xid
from codes
inner join {{ ref('dim_icd10') }} as tree
  on codes.icd10_code in (tree.icd10_code, tree.category_code, tree.block_code, tree.chapter_code)
group by tree.icd10_code
