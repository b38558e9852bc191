"""Guards of hospital, maternity, orders and signal cases: feed, row-level security, and what only triggers can hold."""

from __future__ import annotations

from alembic import op

revision = "2026_11_24_care_guards"
down_revision = "2026_11_24_signals"
branch_labels = None
depends_on = None

FED = ("bed_stock", "lab_test", "lab_reference_interval", "device", "device_test_code")
PATIENT = (
    "death", "diagnostic_order", "order_test", "device_message", "diagnostic_report", "lab_result", "imaging_study",
    "hospital_presentation", "hospital_stay", "stay_diagnosis", "ward_movement", "vital_sign", "stay_operation",
    "transfusion", "pregnancy", "pregnancy_care", "pregnancy_risk_factor", "planned_pregnancy_visit",
    "pregnancy_visit", "birth", "home_call", "signal_case", "signal_event",
)  # fmt: skip
# Whoever sees the person sees these: the death, and a pregnancy with its whole history.
OF_THE_PERSON = (
    "death", "pregnancy", "pregnancy_care", "pregnancy_risk_factor", "planned_pregnancy_visit", "pregnancy_visit",
    "birth",
)  # fmt: skip
OPENS_ACCESS = (
    "diagnostic_order", "diagnostic_report", "imaging_study", "hospital_presentation", "hospital_stay",
    "pregnancy_care", "birth", "home_call", "signal_case",
)  # fmt: skip

GRANT = """
create or replace function kmis_grant_access() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_table_name = 'patient' then
        insert into patient_access (patient_id, organisation_id, basis)
        select n.id, n.owner_organisation_id, 'registration' from new_rows as n
        on conflict (organisation_id, patient_id) do nothing;
    else
        insert into patient_access (patient_id, organisation_id, basis)
        select distinct n.patient_id, n.owner_organisation_id, tg_table_name from new_rows as n
        where n.patient_id is not null
        on conflict (organisation_id, patient_id) do nothing;
    end if;
    if tg_table_name = 'attachment' then
        insert into patient_access (patient_id, organisation_id, basis)
        select distinct (to_jsonb(n) ->> 'patient_id')::bigint, (to_jsonb(n) ->> 'organisation_id')::bigint,
            'attachment' from new_rows as n
        on conflict (organisation_id, patient_id) do nothing;
    end if;
    if tg_table_name = 'diagnostic_order' then
        insert into patient_access (patient_id, organisation_id, basis)
        select distinct (to_jsonb(n) ->> 'patient_id')::bigint,
            (to_jsonb(n) ->> 'performing_organisation_id')::bigint, 'diagnostic_order' from new_rows as n
        where to_jsonb(n) ->> 'performing_organisation_id' is not null
        on conflict (organisation_id, patient_id) do nothing;
    end if;
    return null;
end $$
"""

WITHIN_STAY = """
-- What happens during a stay lies between its admission and its discharge; tg_argv: the columns of start and end.
create function kmis_within_stay() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_from timestamptz;
    v_to timestamptz;
    v_start timestamptz := (to_jsonb(new) ->> tg_argv[0])::timestamptz;
    v_end timestamptz := (to_jsonb(new) ->> tg_argv[1])::timestamptz;
begin
    if new.voided_at is not null then
        return null;
    end if;
    select s.admitted_at, s.discharged_at into v_from, v_to from hospital_stay as s where s.id = new.stay_id for share;
    if v_start < v_from or greatest(v_start, v_end) > v_to or (tg_table_name = 'ward_movement' and v_to is not null
            and v_end is null) then
        raise exception 'a row of % lies outside its stay', tg_table_name
            using errcode = 'check_violation', constraint = 'ck_' || tg_table_name || '_within_stay';
    end if;
    return null;
end $$
"""

STAY_HOLDS_PARTS = """
create function kmis_stay_holds_parts() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (
        select from (
            select started_at, coalesce(ended_at, started_at) as ended_at, ended_at is null as open_flag
            from ward_movement where stay_id = new.id and voided_at is null
            union all
            select started_at, coalesce(ended_at, started_at), false
            from stay_operation where stay_id = new.id and voided_at is null
            union all
            select started_at, coalesce(ended_at, started_at), false
            from transfusion where stay_id = new.id and voided_at is null
            union all
            select measured_at, measured_at, false from vital_sign where stay_id = new.id and voided_at is null
        ) as part
        where part.started_at < new.admitted_at or part.ended_at > new.discharged_at
            or (part.open_flag and new.discharged_at is not null)
    ) then
        raise exception 'something of the stay would lie outside it'
            using errcode = 'check_violation', constraint = 'ck_hospital_stay_holds_parts';
    end if;
    return null;
end $$
"""

AFTER_DEATH = """
-- No event of a person after the death; tg_argv: the column of the event's time, and how long after the death one
-- is still possible (a doctor certifies a death after it).
create function kmis_before_death() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if to_jsonb(new) ->> 'voided_at' is null and exists (
        select from death as d where d.patient_id = new.patient_id and d.voided_at is null
            and (to_jsonb(new) ->> tg_argv[0])::timestamptz > d.died_at + tg_argv[1]::interval
    ) then
        raise exception 'an event of % after the death', tg_table_name
            using errcode = 'check_violation', constraint = 'ck_' || tg_table_name || '_before_death';
    end if;
    return null;
end $$
"""

# Table, column of the time, how long after the death an event is still possible. Source: from general knowledge.
EVENTS = (
    ("encounter", "started_at", "24 hours"),
    ("hospital_presentation", "arrived_at", "24 hours"),
    ("hospital_stay", "admitted_at", "0"),
    ("ward_movement", "started_at", "0"),
    ("stay_operation", "started_at", "0"),
    ("transfusion", "started_at", "0"),
    ("vital_sign", "measured_at", "0"),
    ("pregnancy_visit", "visited_at", "0"),
)

DEATH_AFTER_EVENTS = """
-- A death is not before an event of the person. The lock on the person lets no event slip in meanwhile: the event's
-- foreign key waits for it.
create function kmis_death_after_events() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.voided_at is not null then
        return null;
    end if;
    perform from patient where id = new.patient_id for update;
    if exists (select from patient where id = new.patient_id and birth_date > (new.died_at + interval '14 hours')::date)
        or {checks}
    then
        raise exception 'the death lies before an event of the person'
            using errcode = 'check_violation', constraint = 'ck_death_after_events';
    end if;
    return null;
end $$
"""  # fmt: skip

ACTIVE_ORDER = """
-- Nobody writes a report by hand for a cancelled order; a device's report is kept whatever became of its order.
create function kmis_report_of_order() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.source = 'manual' and new.voided_at is null and exists (
        select from diagnostic_order as o where o.id = new.order_id and o.status = 'cancelled' for share
    ) then
        raise exception 'the order is cancelled'
            using errcode = 'check_violation', constraint = 'ck_diagnostic_report_order_active';
    end if;
    return null;
end $$
"""

PREGNANCY_OF = """
-- The open pregnancy of a woman, whoever leads it, with the organisation that leads it now: for registration, which
-- takes it over instead of making a second one. Only for a woman whom the scope sees.
create function kmis_open_pregnancy(p_patient bigint) returns table (pregnancy_id bigint, organisation_id bigint)
language sql stable security definer set search_path = public, pg_temp as $$
    select p.id, c.owner_organisation_id
    from patient as woman
    join patient as record on coalesce(record.merged_into_id, record.id) = coalesce(woman.merged_into_id, woman.id)
    join pregnancy as p on p.patient_id = record.id and p.ended_on is null and p.voided_at is null
    left join pregnancy_care as c on c.pregnancy_id = p.id and c.valid_to is null
    where woman.id = p_patient and exists (
        select from patient_access as a where a.patient_id = p_patient and a.organisation_id = any (kmis_scope())
    )
    order by p.registered_on, p.id limit 1
$$
"""

TAKE_OVER = """
-- An organisation of the scope leads a pregnancy from p_day on; what was written before stays where it is.
create function kmis_take_over_pregnancy(p_pregnancy bigint, p_organisation bigint, p_practitioner bigint,
    p_day date, p_reason text) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_care bigint;
    v_patient bigint;
begin
    if kmis_scope() is null or not p_organisation = any (kmis_scope()) then
        raise exception 'the organisation is outside the scope' using errcode = 'insufficient_privilege';
    end if;
    select p.patient_id into v_patient from pregnancy as p
    where p.id = p_pregnancy and p.ended_on is null and p.voided_at is null and exists (
        select from patient_access as a where a.patient_id = p.patient_id and a.organisation_id = any (kmis_scope())
    ) for update;
    if v_patient is null then
        raise exception 'no such open pregnancy in the scope' using errcode = 'insufficient_privilege';
    end if;
    update pregnancy_care set valid_to = greatest(p_day, valid_from)
    where pregnancy_id = p_pregnancy and valid_to is null;
    insert into pregnancy_care (pregnancy_id, patient_id, owner_organisation_id, practitioner_id, valid_from, reason)
    select p_pregnancy, v_patient, p_organisation, p_practitioner,
        greatest(p_day, (select max(valid_from) from pregnancy_care where pregnancy_id = p_pregnancy)), p_reason
    returning id into v_care;
    insert into audit_event (user_id, action, object_table, object_id, organisation_id, reason)
    values (kmis_actor(), 'pregnancy.taken_over', 'pregnancy', p_pregnancy, p_organisation, p_reason);
    return v_care;
end $$
"""

FUNCTIONS = (
    "kmis_open_pregnancy(bigint)", "kmis_take_over_pregnancy(bigint, bigint, bigint, date, text)",
)  # fmt: skip

# Who performs an order sees it and its tests; who ordered sees the results.
POLICIES = (
    "create policy performer on diagnostic_order for select to kmis_app"
    " using (performing_organisation_id = any ((select kmis_scope())::bigint[]))",
    "create policy performer_works on diagnostic_order for update to kmis_app"
    " using (performing_organisation_id = any ((select kmis_scope())::bigint[])) with check (true)",
    "create policy performer on order_test for select to kmis_app using (exists (select from diagnostic_order as o"
    " where o.id = order_test.order_id and o.performing_organisation_id = any ((select kmis_scope())::bigint[])))",
    "create policy orderer on diagnostic_report for select to kmis_app using (exists (select from diagnostic_order as o"
    " where o.id = diagnostic_report.order_id and o.owner_organisation_id = any ((select kmis_scope())::bigint[])))",
    "create policy orderer on imaging_study for select to kmis_app using (exists (select from diagnostic_order as o"
    " where o.id = imaging_study.order_id and o.owner_organisation_id = any ((select kmis_scope())::bigint[])))",
    "create policy orderer on lab_result for select to kmis_app using (exists (select from diagnostic_report as r"
    " where r.id = lab_result.report_id))",
    "create policy led on pregnancy for update to kmis_app using (exists (select from pregnancy_care as c"
    " where c.pregnancy_id = pregnancy.id and c.valid_to is null"
    " and c.owner_organisation_id = any ((select kmis_scope())::bigint[]))) with check (true)",
    "create policy owner_scope on imaging_instance to kmis_app"
    " using (owner_organisation_id = any ((select kmis_scope())::bigint[]))"
    " with check (owner_organisation_id = any ((select kmis_scope())::bigint[]))",
    "create policy of_study on imaging_instance for select to kmis_app using (exists (select from imaging_study as s"
    " where s.study_uid = imaging_instance.study_uid))",
)


def upgrade() -> None:
    for statement in (
        GRANT, WITHIN_STAY, STAY_HOLDS_PARTS, AFTER_DEATH, PREGNANCY_OF, TAKE_OVER, ACTIVE_ORDER,
    ):  # fmt: skip
        op.execute(statement)
    checks = "\n        or ".join(
        f"exists (select from {table} where patient_id = new.patient_id and voided_at is null"
        f" and {column} > new.died_at + interval '{slack}')"
        for table, column, slack in EVENTS
    )
    op.execute(DEATH_AFTER_EVENTS.replace("{checks}", checks))
    for table in FED:
        op.execute(f"select kmis_guard_table('{table}', false)")
    for table in PATIENT:
        op.execute(f"select kmis_guard_table('{table}', true)")
    for table in OF_THE_PERSON:
        op.execute(
            f"create policy person_visible on {table} for select to kmis_app using (exists (select from"
            f" patient_access as a where a.patient_id = {table}.patient_id and"
            " a.organisation_id = any ((select kmis_scope())::bigint[])))"
        )
    for table in OPENS_ACCESS:
        op.execute(
            f"create trigger kmis_grant_access after insert on {table} referencing new table as new_rows"
            " for each statement execute function kmis_grant_access()"
        )
    op.execute(
        "create trigger kmis_grant_access_match after update on imaging_study referencing new table as new_rows"
        " for each statement execute function kmis_grant_access()"
    )
    for table, columns in (
        ("ward_movement", "'started_at', 'ended_at'"), ("stay_operation", "'started_at', 'ended_at'"),
        ("transfusion", "'started_at', 'ended_at'"), ("vital_sign", "'measured_at', 'measured_at'"),
    ):  # fmt: skip
        op.execute(
            f"create trigger kmis_within_stay after insert or update on {table} for each row"
            f" execute function kmis_within_stay({columns})"
        )
    op.execute(
        "create trigger kmis_stay_holds_parts after update of admitted_at, discharged_at on hospital_stay for each row"
        " execute function kmis_stay_holds_parts()"
    )
    for table, column, slack in EVENTS:
        op.execute(
            f"create trigger kmis_before_death after insert or update of {column}, voided_at on {table} for each row"
            f" execute function kmis_before_death('{column}', '{slack}')"
        )
    # An order of the last day is finished after the death; from general knowledge.
    op.execute(
        "create trigger kmis_before_death after insert or update of ordered_at on diagnostic_order for each row"
        " execute function kmis_before_death('ordered_at', '24 hours')"
    )
    op.execute(
        "create trigger kmis_report_of_order after insert or update on diagnostic_report for each row"
        " execute function kmis_report_of_order()"
    )
    op.execute(
        "create trigger kmis_death_after_events after insert or update on death for each row"
        " execute function kmis_death_after_events()"
    )
    op.execute("alter table imaging_instance enable row level security")
    op.execute("grant select, insert on imaging_instance to kmis_app")
    op.execute("revoke update on signal_event from kmis_app")
    for policy in POLICIES:
        op.execute(policy)
    for function in FUNCTIONS:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to kmis_app")
    op.execute("grant usage on all sequences in schema public to kmis_app")


def downgrade() -> None:
    raise RuntimeError("the guards of patient data are not taken away; restore a backup instead")
