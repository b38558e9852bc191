-- Grain: one row per position (role version) of a member of the staff.
select
  post.practitioner_role_id,
  post.practitioner_id,
  person.surname,
  person.given_name,
  person.patronymic,
  concat_ws(' ', person.surname, person.given_name, person.patronymic) as full_name,
  concat_ws(' ', person.surname, left(person.given_name, 1) || '.', left(person.patronymic, 1) || '.') as short_name,
  person.sort_key,
  person.active_flag,
  post.organisation_id,
  post.department_id,
  post.specialty_code,
  specialty.name_kk as specialty_name_kk,
  specialty.name_ru as specialty_name_ru,
  post.position_code,
  position.name_kk as position_name_kk,
  position.name_ru as position_name_ru,
  post.valid_from,
  coalesce(post.valid_to, date '9999-12-31') as valid_to,
  row_number() over (
    partition by post.practitioner_id
    order by coalesce(post.valid_to, date '9999-12-31') desc, post.valid_from desc, post.practitioner_role_id desc
  ) = 1 as current_flag
from {{ ref('stg_operational__practitioner_role') }} as post
inner join {{ ref('stg_operational__practitioner') }} as person on post.practitioner_id = person.practitioner_id
left join {{ ref('stg_operational__coded_value') }} as specialty
  on specialty.directory_code = 'specialty' and post.specialty_code = specialty.code
left join {{ ref('stg_operational__coded_value') }} as position
  on position.directory_code = 'position' and post.position_code = position.code
