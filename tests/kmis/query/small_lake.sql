-- Dimensions, people and facts of the small lake; what stands in braces is filled in by small_lake.py.
create table lake.marts.dim_organisation as
select id || ':1' as organisation_version_id, id::bigint as organisation_id, code, kind, null as bin, null::bigint as parent_id,
       district::bigint as district_id, 1::bigint as region_id, kk as name_kk, ru as name_ru, '27' as kato_code,
       date '1900-01-01' as valid_from, date '9999-12-31' as valid_to, true as current_flag
from (values (1, 'R1', 'region', null, 'Батыс Қазақстан облысы', 'Западно-Казахстанская область'),
             (2, 'D1', 'district', 2, 'Қаратөбе ауданы', 'Каратобинский район'),
             (3, 'D2', 'district', 3, 'Сырым ауданы', 'Сырымский район'),
             (11, 'O1', 'hospital', 2, 'Қаратөбе аудандық ауруханасы', 'Каратобинская районная больница'),
             (12, 'O2', 'rural', 2, null, 'Врачебная амбулатория'),
             (13, 'O3', 'hospital', 3, 'Сырым аудандық ауруханасы', 'Сырымская районная больница'))
     as t (id, code, kind, district, kk, ru);
-- organisation 11 was renamed on 1 February 2026
update lake.marts.dim_organisation set valid_to = date '2026-02-01', current_flag = false where organisation_id = 11;
insert into lake.marts.dim_organisation
select '11:2', 11, 'O1', 'hospital', null, null, 2, 1, 'Қаратөбе көпбейінді ауруханасы', 'Каратобинская многопрофильная больница',
       '27', date '2026-02-01', date '9999-12-31', true;
create table lake.marts.dim_department as
select id::bigint as department_id, (10 + id / 10)::bigint as organisation_id, 'DEP' || id as code, 'polyclinic' as kind,
       'Бөлімше ' || id as name_kk, 'Отделение ' || id as name_ru, date '2000-01-01' as valid_from, date '9999-12-31' as valid_to
from (values (10), (11), (20), (21), (30), (31)) t (id);
create table lake.marts.dim_site as
select id::bigint as site_id, (10 + id / 10)::bigint as organisation_id, 'U' || id as code, 'therapeutic' as kind,
       'Учаске ' || id as name_kk, 'Участок ' || id as name_ru, date '2000-01-01' as valid_from, date '9999-12-31' as valid_to
from (values (10), (11), (20), (21), (30), (31)) t (id);
create table lake.marts.dim_practitioner as
select id::bigint as practitioner_role_id, id::bigint as practitioner_id, name as full_name, name as short_name, sort as sort_key,
       date '2000-01-01' as valid_from, date '9999-12-31' as valid_to, true as current_flag
from (values (100, 'Әлиев Дәурен', 'аӿ'), (101, 'Иванова Анна', 'и'), (102, 'Өмірбек Сая', 'оӿ'), (103, 'Жақып Нұр', 'ж')) t (id, name, sort);
insert into lake.marts.dim_practitioner
select 900, 100, 'Әлиев Дәурен', 'Әлиев Дәурен', 'аӿ', date '1999-01-01', date '2000-01-01', false;
create table lake.marts.dim_room as
select 1::bigint as room_id, 11::bigint as organisation_id, 10::bigint as department_id, '101' as code, '101 кабинет' as name_kk, 'Кабинет 101' as name_ru;
create table lake.marts.dim_coded_value as
select dir || ':' || code as coded_value_id, dir as directory_code, code, kk as name_kk, ru as name_ru, ord as sort_order, true as active_flag
from (values ('specialty', 'THER', 'Терапевт', 'Терапевт', 1), ('specialty', 'PAED', 'Педиатр', 'Педиатр', 2),
             ('visit_reason', 'disease', 'Ауру', 'Заболевание', 1), ('visit_reason', 'preventive', 'Профилактика', 'Профилактика', 2),
             ('visit_reason', 'chronic', null, 'Динамическое наблюдение', 3),
             ('encounter_outcome', 'recovered', 'Сауықты', 'Выздоровление', 1),
             ('financing_source', 'gobmp', 'ТМККК', 'ГОБМП', 1), ('financing_source', 'osms', 'МӘМС', 'ОСМС', 2),
             ('booking_channel', 'desk', 'Тіркеу орны', 'Регистратура', 1), ('cancel_reason', 'patient', 'Пациент бас тартты', 'Отказ пациента', 1),
             ('insurance_status', 'insured', 'Сақтандырылған', 'Застрахован', 1), ('injury_type', 'home', 'Тұрмыстық', 'Бытовая', 1))
     as t (dir, code, kk, ru, ord);
create table lake.marts.dim_icd10 as
select code as icd10_code, level, kk as name_kk, ru as name_ru from
  (values ('I', 'chapter', 'Кейбір инфекциялар', 'Некоторые инфекции'), ('IX', 'chapter', null, 'Болезни кровообращения'),
          ('X', 'chapter', null, 'Болезни дыхания'), ('XIX', 'chapter', null, 'Травмы'),
          ('I10', 'category', null, 'Первичная гипертензия'), ('J00', 'category', null, 'Назофарингит'), ('S60', 'category', null, 'Травма кисти'),
          ('A09', 'category', 'Диарея', 'Диарея')) t (code, level, kk, ru);
create table lake.marts.dim_service as
select code || ':1' as service_version_id, code as service_code, kk as name_kk, ru as name_ru, date '2000-01-01' as valid_from,
       date '9999-12-31' as valid_to, true as current_flag from (values ('A01', 'Терапевт қабылдауы', 'Приём терапевта')) t (code, kk, ru);
create table lake.marts.dim_age_group as
select g as age_group, f::integer as age_from, t::integer as age_to, o::integer as sort_order, g || ' жас' as name_kk, g || ' лет' as name_ru
from (values ('0-14', 0, 14, 1), ('15-17', 15, 17, 2), ('18-59', 18, 59, 3), ('60+', 60, 150, 4)) v (g, f, t, o);
create table lake.marts.dim_chronic_group as
select 1 as chronic_group, 'Артериялық гипертензия' as name_kk, 'Артериальная гипертензия' as name_ru, 'I10-I13' as icd10, 'draft' as source;
create table lake.marts.dim_kato as
select '27' as kato_code, 'Батыс Қазақстан облысы' as name_kk, 'Западно-Казахстанская область' as name_ru
union all select '2736', null, 'Каратобинский район';
-- 120 records of 118 people: 119 and 120 were merged into 1 and 2
create table lake.marts.dim_person as
select n::integer as patient_no, (case n when 119 then 1 when 120 then 2 else n end)::integer as person_no from range(1, 121) t (n);
create table lake.marts.dim_patient as
select 'v' || n as patient_version_id, n::bigint as patient_id, n::integer as patient_no, p.person_no,
       lpad((700101000000 + n)::varchar, 12, '0') as iin, 'Тегі' || n || ' Аты' as full_name, ' tegi' || n || ' aty' as name_key,
       lpad((1000 - n)::varchar, 4, '0') as sort_key, date '1940-03-01' + (n * 263)::integer as birth_date,
       if(n % 2 = 0, 'M', 'F') as sex, '+7701' || lpad(n::varchar, 7, '0') as phone, '27' as residence_region_kato,
       '2736' as residence_district_kato, n % 3 = 0 as urban_flag,
       date '1900-01-01' as valid_from, date '9999-12-31' as valid_to, true as current_flag
from range(1, 121) t (n) join lake.marts.dim_person p on p.patient_no = n;
create table lake.marts.dim_attachment as
select n::bigint as attachment_version_id, n::bigint as attachment_id, person_no::bigint as person_id, person_no,
       (11 + n % 3)::bigint as organisation_id, (10 * (1 + n % 3) + n % 2)::bigint as site_id, sex, birth_date, urban_flag,
       date '2020-01-01' as valid_from, if(n % 10 = 0, date '2026-01-16', date '9999-12-31') as valid_to
from (select patient_no as n, * from lake.marts.dim_patient) where patient_no <= 118;
create table lake.marts.fct_visit as
with v as (select k, date '2026-01-01' + (k * 7 % 59)::integer as event_date, 1 + (k * 37) % 120 as n from range(1, {visits} + 1) t (k))
select k::bigint as encounter_id, {context} {patient_context},
       null::bigint as appointment_id, timezone('Asia/Oral', event_date::timestamp + interval 9 hour) as started_at,
       if(k % 5 = 0, 'home', 'polyclinic') as place, case k % 3 when 0 then 'preventive' when 1 then 'disease' else 'chronic' end as visit_reason,
       if(k % 2 = 0, 'primary', 'repeat') as visit_kind, 'insured' as insurance_status, 'recovered' as outcome,
       case k % 4 when 0 then 'I10' when 1 then 'J00' when 2 then null else 'S60' end as main_icd10_code,
       case k % 4 when 0 then 'I10' when 1 then 'J00' when 2 then null else 'S60' end as main_icd10_block,
       case k % 4 when 0 then 'IX' when 1 then 'X' when 2 then null else 'XIX' end as main_icd10_chapter,
       'acute' as main_character, k % 10 <> 0 as signed_flag, k % 3 <> 0 as disease_flag, k % 3 = 0 as preventive_flag,
       1 as visits, (k % 3 <> 0)::integer as disease_visits, (k % 3 = 0)::integer as preventive_visits, (k % 5 = 0)::integer as home_visits, k % 5 = 0 as home_flag,
       (k % 10 <> 0)::integer as signed_visits, (k % 2 = 0)::integer as primary_visits,
       (date_diff('year', p.birth_date, event_date) >= 18)::integer as adults, (date_diff('year', p.birth_date, event_date) < 18)::integer as children,
       2 as diagnoses_count, 1 as services_count, 1500.50::decimal(14, 2) as amount_kzt
from v join lake.marts.dim_patient p on p.patient_no = v.n;
create table lake.marts.fct_diagnosis as
with d as (select k, date '2026-01-01' + (k * 7 % 59)::integer as event_date, 1 + (k * 37) % 120 as n from range(1, {visits} * 2 + 1) t (k))
select k::bigint as condition_id, (1 + k / 2)::bigint as encounter_id, {context} {patient_context}, event_date as diagnosis_date,
       'disease' as visit_reason, 'primary' as visit_kind, 'polyclinic' as place,
       case k % 4 when 0 then 'I10' when 1 then 'J00' when 2 then 'A09' else 'S60' end as icd10_code,
       case k % 4 when 0 then 'I10' when 1 then 'J00' when 2 then 'A09' else 'S60' end as icd10_category,
       case k % 4 when 0 then 'I10' when 1 then 'J00' when 2 then 'A09' else 'S60' end as icd10_block,
       case k % 4 when 0 then 'IX' when 1 then 'X' when 2 then 'I' else 'XIX' end as icd10_chapter,
       if(k % 2 = 0, 'main', 'comorbid') as diagnosis_rank, if(k % 4 = 0, 'chronic_known', 'acute') as character,
       if(k % 4 = 0, 'chronic', 'acute') as acute_or_chronic, k % 6 = 0 as first_in_life_flag, k % 4 = 3 as injury_flag,
       if(k % 4 = 3, 'home', null) as injury_type, if(k % 4 = 0, 1, null)::integer as chronic_group, if(k % 4 = 0, '10.2', '1.0') as form12_row,
       k % 5 <> 0 as counted_case_flag, 1 as diagnoses, (k % 5 <> 0)::integer as counted_cases,
       (k % 6 = 0 and k % 5 <> 0)::integer as first_in_life, (k % 4 = 3)::integer as injuries
from d join lake.marts.dim_patient p on p.patient_no = d.n;
create table lake.marts.fct_appointment as
with a as (select k, date '2026-01-01' + (k * 7 % 59)::integer as event_date, 1 + (k * 37) % 120 as n from range(1, {visits} + 1) t (k))
select k::bigint as appointment_id, {context} {patient_context}, k::bigint as slot_id, if(k % 2 = 0, 1, null)::bigint as room_id,
       'A01' as service_code, 'desk' as booking_channel, case k % 5 when 0 then 'booked' when 1 then 'arrived' when 2 then 'fulfilled' when 3 then 'noshow' else 'cancelled' end as status,
       if(k % 5 = 4, 'patient', null) as cancel_reason, timezone('Asia/Oral', event_date::timestamp + to_hours(cast(8 + k % 9 as integer))) as starts_at,
       timezone('Asia/Oral', event_date::timestamp) - interval 3 day as booked_at, 7::bigint as booked_by, null as referral_number, k % 7 = 0 as has_referral_flag,
       1 as bookings, (k % 5 in (1, 2))::integer as attended, (k % 5 = 1)::integer as waiting, (k % 5 = 2)::integer as fulfilled,
       (k % 5 = 3)::integer as no_shows, (k % 5 = 4)::integer as cancelled
from a join lake.marts.dim_patient p on p.patient_no = a.n;
create table lake.marts.fct_slot as
with s as (select k, date '2026-01-01' + (k * 7 % 59)::integer as event_date from range(1, {visits} + 1) t (k))
select k::bigint as slot_id, {context}, 1::bigint as room_id, timezone('Asia/Oral', event_date::timestamp + to_hours(cast(8 + k % 9 as integer))) as starts_at,
       timezone('Asia/Oral', event_date::timestamp + to_hours(cast(9 + k % 9 as integer))) as ends_at, k % 20 = 0 as blocked_flag,
       2 as capacity, if(k % 20 = 0, 0, 2) as offered, if(k % 20 = 0, 0, (k % 3)::integer) as booked, if(k % 20 = 0, 0, 2 - (k % 3)::integer) as free, 0 as attended
from s;
create table lake.marts.fct_home_call as
with c as (select k, date '2026-01-01' + (k * 7 % 59)::integer as event_date, 1 + (k * 37) % 120 as n from range(1, {visits} + 1) t (k))
select k::bigint as home_call_id, {context} {patient_context}, if(k % 3 = 0, 'active', 'call') as kind, 'patient' as source, 'routine' as urgency,
       case k % 5 when 0 then 'registered' when 1 then 'assigned' when 2 then 'done' when 3 then 'not_found' else 'cancelled' end as status,
       null as cancel_reason, timezone('Asia/Oral', event_date::timestamp + interval 9 hour) as called_at,
       timezone('Asia/Oral', event_date::timestamp + interval 13 hour) as due_at,
       if(k % 5 in (2, 3), timezone('Asia/Oral', event_date::timestamp + interval 11 hour), null) as performed_at,
       case when k % 5 in (2, 3, 4) then event_date else date '9999-12-31' end as open_until,
       1 as calls, (k % 5 = 2)::integer as done, (k % 5 = 3)::integer as not_found, (k % 5 = 4)::integer as cancelled,
       (k % 5 < 2)::integer as open_calls, 0 as late
from c join lake.marts.dim_patient p on p.patient_no = c.n;
