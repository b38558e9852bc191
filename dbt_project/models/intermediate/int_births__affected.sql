-- Grain: one row per newborn and image (as it is, and as it was before the batch) that the batch can move: also the
-- others of the same delivery, because one of them stands for it.
-- affected_xid lets a reader leave out what an earlier pass left here.
with deliveries as (
  {%- for side in ['new', 'old'] %}
  select
    {{ image('patient_id', 'bigint', side) }} as patient_id,
    {{ image('delivery_date', 'date', side) }} as delivery_date,
    xid
  from ({{ entries_of('birth') }}) as batch
  {{ 'union all' if not loop.last }}
  {%- endfor %}
),

named as (
  select
    key as birth_id,
    xid
  from ({{ entries_of('birth') }}) as batch
  union all
  select
    newborn.birth_id,
    deliveries.xid
  from {{ ref('stg_operational__birth') }} as newborn
  inner join deliveries
    on newborn.patient_id = deliveries.patient_id and newborn.delivery_date = deliveries.delivery_date
  union all
  {{ moved_with_context(ref('stg_operational__birth'), 'birth_id') }}
)

{{ cells_of_images('named', ref('stg_operational__birth'), 'birth_id', 'birth', 'born_at') }}
