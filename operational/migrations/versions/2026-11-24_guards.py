"""The change feed's triggers, row-level security, rights of the roles, and the few definer functions."""

from __future__ import annotations

from alembic import op

revision = "2026_11_24_guards"
down_revision = "2026_11_24_encounters"
branch_labels = None
depends_on = None

FED = (
    "organisation", "organisation_version", "department", "site", "practitioner", "practitioner_role",
    "site_assignment", "room", "directory", "icd10", "kato", "medicine", "service", "service_tariff",
    "operation", "coded_value", "schedule", "slot",
)  # fmt: skip
PATIENT = (
    "patient", "attachment", "patient_merge", "appointment", "encounter", "condition", "procedure",
    "service_request", "signed_document",
)  # fmt: skip
SHARED_WITH_THE_PERSON = ("attachment", "patient_merge")

FEED = """
-- Statement-level: one insert into the feed for all rows that a statement touched.
create function kmis_feed() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_actor bigint := kmis_actor();
    v_reason text := nullif(current_setting('kmis.reason', true), '');
begin
    if tg_op = 'INSERT' then
        insert into change_feed (table_name, key, operation, actor_id, reason, new_row)
        select tg_table_name, n.id, 'I', v_actor, v_reason, to_jsonb(n) from new_rows as n;
    elsif tg_op = 'UPDATE' then
        insert into change_feed (table_name, key, operation, actor_id, reason, new_row, old_row)
        select tg_table_name, n.id, 'U', v_actor, v_reason, to_jsonb(n), to_jsonb(o)
        from new_rows as n join old_rows as o on o.id = n.id;
    else
        insert into change_feed (table_name, key, operation, actor_id, reason, old_row)
        select tg_table_name, o.id, 'D', v_actor, v_reason, to_jsonb(o) from old_rows as o;
    end if;
    return null;
end $$
"""

REFUSE_TRUNCATE = """
create function kmis_refuse_truncate() returns trigger language plpgsql as $$
begin
    raise exception 'table % may not be truncated', tg_table_name using errcode = 'insufficient_privilege';
end $$
"""

KEEP_KEY = """
create function kmis_keep_key() returns trigger language plpgsql as $$
begin
    raise exception 'the key or the owner of a row of % never changes', tg_table_name
        using errcode = 'restrict_violation', constraint = 'kmis_keep_key';
end $$
"""

GUARD = """
-- Called by the migration that makes a table: the four triggers of the feed, the key that stays, and, for
-- patient data, row-level security by owner and scope.
create function kmis_guard_table(p_table regclass, p_patient boolean) returns void language plpgsql as $$
declare
    v_when text := case when exists (
        select from pg_attribute
        where attrelid = p_table and attname = 'owner_organisation_id' and not attisdropped
    ) then 'old.id <> new.id or old.owner_organisation_id <> new.owner_organisation_id'
      else 'old.id <> new.id' end;
begin
    execute format('create trigger kmis_feed_insert after insert on %s referencing new table as new_rows'
        ' for each statement execute function kmis_feed()', p_table);
    execute format('create trigger kmis_feed_update after update on %s referencing old table as old_rows'
        ' new table as new_rows for each statement execute function kmis_feed()', p_table);
    execute format('create trigger kmis_feed_delete after delete on %s referencing old table as old_rows'
        ' for each statement execute function kmis_feed()', p_table);
    execute format('create trigger kmis_feed_truncate before truncate on %s'
        ' for each statement execute function kmis_refuse_truncate()', p_table);
    execute format('create trigger kmis_keep_key before update on %s for each row when (%s)'
        ' execute function kmis_keep_key()', p_table, v_when);
    execute format('grant select, insert, update on %s to kmis_app', p_table);
    execute format('grant select on %s to kmis_writer', p_table);
    if p_patient then
        execute format('alter table %s enable row level security', p_table);
        execute format('create policy writer_reads on %s for select to kmis_writer using (true)', p_table);
        execute format('create policy owner_scope on %s to kmis_app'
            ' using (owner_organisation_id = any ((select kmis_scope())::bigint[]))'
            ' with check (owner_organisation_id = any ((select kmis_scope())::bigint[]))', p_table);
    end if;
end $$
"""

PARTITIONS = """
-- Partitions of the feed for the month of p_at and the two after it.
create function kmis_feed_partitions(p_at timestamptz) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_month timestamptz;
    v_name text;
begin
    for i in 0..2 loop
        v_month := date_trunc('month', p_at, 'UTC') + make_interval(months => i);
        v_name := 'change_feed_' || to_char(v_month at time zone 'UTC', 'YYYY_MM');
        if to_regclass('public.' || v_name) is null then
            execute format('create table %I partition of change_feed for values from (%L) to (%L)',
                v_name, v_month, v_month + interval '1 month');
        end if;
    end loop;
end $$
"""

VISIBLE = """
create policy person_visible on patient for select to kmis_app using (
    exists (select from patient_access as a
            where a.patient_id = patient.id and a.organisation_id = any ((select kmis_scope())::bigint[])))
"""

CORRECTABLE = """
create policy person_corrected on patient for update to kmis_app using (
    exists (select from patient_access as a
            where a.patient_id = patient.id and a.organisation_id = any ((select kmis_scope())::bigint[])))
    with check (true)
"""

OPEN_ACCESS = """
create function kmis_grant_access() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if tg_table_name = 'patient' then
        insert into patient_access (patient_id, organisation_id, basis)
        select n.id, n.owner_organisation_id, 'registration' from new_rows as n
        on conflict (organisation_id, patient_id) do nothing;
    else
        insert into patient_access (patient_id, organisation_id, basis)
        select distinct n.patient_id, n.owner_organisation_id, tg_table_name from new_rows as n
        on conflict (organisation_id, patient_id) do nothing;
    end if;
    if tg_table_name = 'attachment' then
        insert into patient_access (patient_id, organisation_id, basis)
        select distinct (to_jsonb(n) ->> 'patient_id')::bigint, (to_jsonb(n) ->> 'organisation_id')::bigint,
            'attachment' from new_rows as n
        on conflict (organisation_id, patient_id) do nothing;
    end if;
    return null;
end $$
"""

FIND_PERSON = """
-- A person of the region's register by the whole IIN, for registration: the key and what the desk needs to be
-- sure that it is the same person. The look-up is audited.
create function kmis_find_person(p_iin text)
returns table (id bigint, surname text, given_name text, patronymic text, birth_date date, sex text, visible boolean)
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if kmis_scope() is null then
        raise exception 'a look-up in the register needs a scope' using errcode = 'insufficient_privilege';
    end if;
    insert into audit_event (user_id, action, object_table, object_id)
    select kmis_actor(), 'patient.looked_up', 'patient', p.id from patient as p
    where p.iin = p_iin and p.voided_at is null;
    return query
    select p.id, p.surname, p.given_name, p.patronymic, p.birth_date, p.sex,
        exists (select from patient_access as a
                where a.patient_id = p.id and a.organisation_id = any (kmis_scope()))
    from patient as p where p.iin = p_iin and p.voided_at is null;
end $$
"""

OPEN_PERSON = """
-- Opens a person's record to an organisation of the acting user, with a reason that the audit keeps.
create function kmis_open_person(p_patient bigint, p_organisation bigint, p_reason text) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if kmis_scope() is null or not p_organisation = any (kmis_scope()) then
        raise exception 'the organisation is outside the scope' using errcode = 'insufficient_privilege';
    end if;
    if length(trim(coalesce(p_reason, ''))) < 3 then
        raise exception 'a reason is needed' using errcode = 'check_violation';
    end if;
    insert into patient_access (patient_id, organisation_id, basis) values (p_patient, p_organisation, 'opened')
    on conflict (organisation_id, patient_id) do nothing;
    insert into audit_event (user_id, action, object_table, object_id, organisation_id, reason)
    values (kmis_actor(), 'patient.opened', 'patient', p_patient, p_organisation, p_reason);
end $$
"""

SESSION_INFO = """
-- Who a session's token belongs to, with which permissions and in which organisations: the organisations of the
-- user's roles and all that stand below them today.
create function kmis_session_info(p_token_hash bytea)
returns table (session_id bigint, user_id bigint, login text, display_name text, language text,
    practitioner_id bigint, must_change_password boolean, permissions text[], organisation_ids bigint[],
    home_organisation_id bigint, expires_at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
    with recursive the_session as (
        select s.id, s.expires_at, u.id as user_id, u.login, u.display_name, u.language, u.practitioner_id,
            u.must_change_password
        from user_session as s join app_user as u on u.id = s.user_id
        where s.token_hash = p_token_hash and s.revoked_at is null and s.expires_at > now() and u.active
    ), roles as (
        select ur.organisation_id, r.permissions
        from the_session as t join user_role as ur on ur.user_id = t.user_id join role as r on r.id = ur.role_id
    ), tree as (
        select organisation_id from roles
        union
        select v.organisation_id from organisation_version as v join tree on v.parent_id = tree.organisation_id
        where v.valid_from <= current_date and (v.valid_to is null or v.valid_to > current_date)
    )
    select t.id, t.user_id, t.login, t.display_name, t.language, t.practitioner_id, t.must_change_password,
        coalesce((select array_agg(distinct p order by p) from roles, unnest(roles.permissions) as p), '{}'),
        coalesce((select array_agg(distinct organisation_id order by organisation_id) from tree), '{}'),
        (select min(organisation_id) from roles), t.expires_at
    from the_session as t
$$
"""

RIGHTS = """
grant usage on all sequences in schema public to kmis_app;
grant select, insert, update on app_user, role, user_role, user_session to kmis_app;
revoke update on signed_document from kmis_app;
grant delete on user_role, document_draft to kmis_app;
grant select, insert on audit_event to kmis_app;
grant select on patient_access to kmis_app;
grant select, insert, update on document_draft, unload_log, snapshot_pin, outbox_message, outbox_attempt,
    pass_request to kmis_app;
grant select on published, lake_pass, feed_epoch to kmis_app;
grant delete on snapshot_pin to kmis_writer;
grant select on change_feed, feed_epoch to kmis_writer;
grant select, insert, update on published, lake_pass, snapshot_pin, pass_request to kmis_writer;
grant select on unload_log to kmis_writer;
grant usage on all sequences in schema public to kmis_writer;
revoke all on function kmis_find_person(text), kmis_open_person(bigint, bigint, text),
    kmis_session_info(bytea), kmis_feed_partitions(timestamptz) from public;
grant execute on function kmis_find_person(text), kmis_open_person(bigint, bigint, text),
    kmis_session_info(bytea) to kmis_app;
grant execute on function kmis_feed_partitions(timestamptz) to kmis_writer
"""


def upgrade() -> None:
    for statement in (
        FEED, REFUSE_TRUNCATE, KEEP_KEY, GUARD, PARTITIONS, OPEN_ACCESS, FIND_PERSON, OPEN_PERSON, SESSION_INFO,
    ):  # fmt: skip
        op.execute(statement)
    for table in FED:
        op.execute(f"select kmis_guard_table('{table}', false)")
    for table in PATIENT:
        op.execute(f"select kmis_guard_table('{table}', true)")
    op.execute(VISIBLE)
    op.execute(CORRECTABLE)
    for table in SHARED_WITH_THE_PERSON:
        key = "patient_id" if table == "attachment" else "target_patient_id"
        op.execute(
            f"create policy person_visible on {table} for select to kmis_app using (exists (select from"
            f" patient_access as a where a.patient_id = {table}.{key} and"
            " a.organisation_id = any ((select kmis_scope())::bigint[])))"
        )
    for table in ("patient", "attachment", "appointment", "encounter"):
        op.execute(
            f"create trigger kmis_grant_access after insert on {table} referencing new table as new_rows"
            " for each statement execute function kmis_grant_access()"
        )
    op.execute("alter table patient_access enable row level security")
    op.execute(
        "create policy own_organisations on patient_access for select to kmis_app"
        " using (organisation_id = any ((select kmis_scope())::bigint[]))"
    )
    op.execute("alter table document_draft enable row level security")
    op.execute(
        "create policy own_drafts on document_draft to kmis_app using (author_id = (select kmis_actor()))"
        " with check (author_id = (select kmis_actor()))"
    )
    op.execute("create table change_feed_default partition of change_feed default")
    for statement in RIGHTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the guards of patient data are not taken away; restore a backup instead")
