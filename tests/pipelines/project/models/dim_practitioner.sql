-- Grain: one row per practitioner; replaced whole.
select id as practitioner_id, sort_key from {{ ref('stg_operational__practitioner') }}
