-- Grain: one row per hospital stay that the batch can move.
{{ config(materialized='ephemeral') }}

select distinct stay_id
from {{ ref('int_stays__affected') }}
where affected_xid > {{ from_xid() }}
