-- Grain: one row per visit that is not voided.
{{ config(unique_key='encounter_id', partition_by='year(event_date)') }}
with touched as (select distinct key as id from ({{ batch_changes('encounter') }}))
select
  touched.id as encounter_id,
  visit.practitioner_id,
  visit.status,
  visit.event_date,
  case when visit.complaints = 'FAIL' then error('the model was made to fail') end as failure,
  visit.id is null as deleted_flag
from touched
left join {{ ref('stg_operational__encounter') }} as visit on touched.id = visit.id and not visit.voided_flag
