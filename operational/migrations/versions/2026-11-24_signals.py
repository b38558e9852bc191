"""Tables: signal cases, and the functions that open and close a case which another organisation answers for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_24_signals"
down_revision = "2026_11_24_maternity"
branch_labels = None
depends_on = None


OPEN_SIGNAL = """
-- Opens a case for the organisation that answers for the person, in the transaction of the event that causes it,
-- which may belong to another organisation. One case per rule and subject. p_case holds the columns of signal_case;
-- its facts hold one key per reason, all that the rule sees now. A reason that an open case does not know is added to
-- it. A closed case is opened again when its cause had been taken back, when the cause is newer than the closing, or
-- when it has a reason that was not known then; what a person has answered for is not opened by the same cause again.
-- The person must be visible to the scope. o_kind: opened, reopened, reason_added, or null when nothing was new.
create function kmis_open_signal(p_case jsonb, out o_case bigint, out o_kind text)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_case signal_case;
    v_known signal_case;
    v_new jsonb;
begin
    o_kind := 'opened';
    v_case := jsonb_populate_record(null::signal_case, p_case);
    v_case.facts := coalesce(v_case.facts, '{}');
    if not exists (select from patient_access as a where a.patient_id = v_case.patient_id
            and a.organisation_id = any (kmis_scope())) then
        raise exception 'the person is outside the scope' using errcode = 'insufficient_privilege';
    end if;
    insert into signal_case (patient_id, owner_organisation_id, rule_code, rule_version, subject, subject_id, severity,
        audience, reason_code, facts, advice_codes, recommendations, origin_organisation_id, icd10_code, event_at,
        opened_at, due_at, site_id, practitioner_id, nurse_id, state, delivered_at)
    values (v_case.patient_id, v_case.owner_organisation_id, v_case.rule_code, v_case.rule_version, v_case.subject,
        v_case.subject_id, v_case.severity, v_case.audience, v_case.reason_code, v_case.facts,
        coalesce(v_case.advice_codes, '{}'), v_case.recommendations, v_case.origin_organisation_id, v_case.icd10_code,
        v_case.event_at, v_case.opened_at, v_case.due_at, v_case.site_id, v_case.practitioner_id, v_case.nurse_id,
        'opened', null)
    on conflict (rule_code, subject, subject_id) do nothing
    returning * into v_known;
    if v_known.id is null then
        select * into v_known from signal_case
        where rule_code = v_case.rule_code and subject = v_case.subject and subject_id = v_case.subject_id for update;
        select coalesce(jsonb_agg(key order by key), '[]') into v_new
        from jsonb_object_keys(v_case.facts) as key where not v_known.facts ? key;
        if v_known.state = 'closed' or v_known.voided_at is not null then
            if not (v_known.voided_at is not null or v_new <> '[]' or v_case.event_at > v_known.closed_at
                    or v_known.outcome in ('condition_withdrawn', 'condition_over', 'entered_in_error')) then
                o_case := v_known.id;
                o_kind := null;
                return;
            end if;
            o_kind := 'reopened';
            update signal_case set state = 'opened', closed_at = null, outcome = null, voided_at = null,
                void_reason = null, opened_at = v_case.opened_at, due_at = v_case.due_at, event_at = v_case.event_at,
                reason_code = v_case.reason_code, severity = v_case.severity, facts = v_case.facts,
                icd10_code = v_case.icd10_code, recommendations = v_case.recommendations, delivered_at = null,
                seen_at = null, contacted_at = null, visited_at = null
            where id = v_known.id;
        else
            o_kind := case when v_new = '[]' then null else 'reason_added' end;
            update signal_case set facts = v_case.facts,
                due_at = greatest(least(due_at, v_case.due_at), opened_at + interval '1 minute'),
                severity = case when 'critical' in (severity, v_case.severity) then 'critical' else severity end,
                icd10_code = coalesce(v_case.icd10_code, icd10_code),
                recommendations = coalesce(v_case.recommendations, recommendations)
            where id = v_known.id and (facts, coalesce(icd10_code, ''), coalesce(recommendations, ''))
                is distinct from (v_case.facts, coalesce(v_case.icd10_code, icd10_code, ''),
                    coalesce(v_case.recommendations, recommendations, ''));
        end if;
    else
        select coalesce(jsonb_agg(key order by key), '[]') into v_new from jsonb_object_keys(v_case.facts) as key;
    end if;
    o_case := v_known.id;
    if o_kind is not null then
        insert into signal_event (owner_organisation_id, case_id, patient_id, kind, at, user_id, detail)
        values (v_known.owner_organisation_id, v_known.id, v_known.patient_id, o_kind, v_case.opened_at, kmis_actor(),
            jsonb_build_object('reason_code', v_case.reason_code, 'reasons', v_new));
    end if;
end $$
"""

WITHDRAW_SIGNAL = """
-- Closes the case of a subject whose cause was corrected away or is over; true when there was an open one.
create function kmis_withdraw_signal(p_rule text, p_subject text, p_subject_id bigint, p_outcome text,
    p_at timestamptz) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_case signal_case;
begin
    select c.* into v_case from signal_case as c
    where c.rule_code = p_rule and c.subject = p_subject and c.subject_id = p_subject_id and c.state <> 'closed'
        and exists (select from patient_access as a where a.patient_id = c.patient_id
            and a.organisation_id = any (kmis_scope()))
    for update;
    if v_case.id is null then
        return false;
    end if;
    update signal_case set state = 'closed', outcome = p_outcome, closed_at = greatest(p_at, opened_at)
    where id = v_case.id;
    insert into signal_event (owner_organisation_id, case_id, patient_id, kind, at, user_id, detail)
    values (v_case.owner_organisation_id, v_case.id, v_case.patient_id, 'closed', greatest(p_at, v_case.opened_at),
        kmis_actor(), jsonb_build_object('outcome', p_outcome));
    return true;
end $$
"""

SIGNALS_AND_DEATH = """
-- A death closes every open case of the person, whoever answers for it; the case of the death itself stays. With
-- p_died false the death was entered in error and what it closed is open again. Returns how many cases changed.
create function kmis_signals_of_death(p_patient bigint, p_died boolean, p_at timestamptz) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_changed integer;
begin
    if not exists (select from patient_access as a where a.patient_id = p_patient
            and a.organisation_id = any (kmis_scope())) then
        raise exception 'the person is outside the scope' using errcode = 'insufficient_privilege';
    end if;
    with of_person as (
        select c.id from patient as one
        join patient as record on coalesce(record.merged_into_id, record.id) = coalesce(one.merged_into_id, one.id)
        join signal_case as c on c.patient_id = record.id and c.subject <> 'death' and c.voided_at is null
        where one.id = p_patient and case when p_died then c.state <> 'closed' else c.outcome = 'died' end
    ), changed as (
        update signal_case as c set state = case when p_died then 'closed' else 'opened' end,
            outcome = case when p_died then 'died' end, closed_at = case when p_died then greatest(p_at, opened_at) end
        from of_person where c.id = of_person.id
        returning c.id, c.patient_id, c.owner_organisation_id, greatest(p_at, c.opened_at) as at
    ), told as (
        insert into signal_event (owner_organisation_id, case_id, patient_id, kind, at, user_id, detail)
        select owner_organisation_id, id, patient_id, case when p_died then 'closed' else 'reopened' end, at,
            kmis_actor(), jsonb_build_object(case when p_died then 'outcome' else 'withdrawn' end, 'died')
        from changed returning 1
    )
    select count(*) into v_changed from told;
    return v_changed;
end $$
"""

ANSWERS_FOR = """
-- Where the person is attached on a day, on whichever of the records merged into one; the surviving record first.
create function kmis_attachment_on(p_patient bigint, p_day date) returns table (organisation_id bigint, site_id bigint)
language sql stable security definer set search_path = public, pg_temp as $$
    select a.organisation_id, a.site_id
    from patient as one
    join patient as record on coalesce(record.merged_into_id, record.id) = coalesce(one.merged_into_id, one.id)
    join attachment as a on a.patient_id = record.id and a.valid_from <= p_day
        and (a.valid_to is null or a.valid_to > p_day)
    where one.id = p_patient and exists (
        select from patient_access as seen where seen.patient_id = p_patient
            and seen.organisation_id = any (kmis_scope())
    )
    order by record.merged_into_id is not null, a.valid_from desc, a.id desc limit 1
$$
"""

MATERNITY_ON = """
-- Whether a woman is pregnant on p_day, or gave birth or lost a pregnancy on p_since or later, and who leads her. A
-- birth without a registered pregnancy counts too. ended_on is null while she is pregnant.
create function kmis_maternity_on(p_patient bigint, p_since date, p_day date)
returns table (pregnancy_id bigint, ended_on date, organisation_id bigint, practitioner_id bigint)
language sql stable security definer set search_path = public, pg_temp as $$
    with record as (
        select r.id from patient as one
        join patient as r on coalesce(r.merged_into_id, r.id) = coalesce(one.merged_into_id, one.id)
        where one.id = p_patient and exists (
            select from patient_access as seen where seen.patient_id = p_patient
                and seen.organisation_id = any (kmis_scope())
        )
    ), found as (
        select p.id, p.ended_on from record join pregnancy as p on p.patient_id = record.id and p.voided_at is null
            and p.last_menstrual_date <= p_day and (p.ended_on is null or p.ended_on >= p_since)
        union all
        select b.pregnancy_id, b.delivery_date from record join birth as b on b.patient_id = record.id
            and b.voided_at is null and b.pregnancy_id is null and b.delivery_date between p_since and p_day
    )
    select f.id, f.ended_on, c.owner_organisation_id, c.practitioner_id
    from found as f
    left join lateral (
        select care.owner_organisation_id, care.practitioner_id from pregnancy_care as care
        where care.pregnancy_id = f.id and care.valid_from <= greatest(p_day, coalesce(f.ended_on, p_day))
        order by care.valid_from desc, care.id desc limit 1
    ) as c on true
    order by f.ended_on desc nulls first, f.id desc limit 1
$$
"""

FUNCTIONS = (
    "kmis_open_signal(jsonb)", "kmis_withdraw_signal(text, text, bigint, text, timestamptz)",
    "kmis_signals_of_death(bigint, boolean, timestamptz)", "kmis_attachment_on(bigint, date)",
    "kmis_maternity_on(bigint, date, date)",
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "signal_case",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_code", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("advice_codes", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("recommendations", sa.Text(), nullable=True),
        sa.Column("origin_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("icd10_code", sa.Text(), nullable=True),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=True),
        sa.Column("nurse_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default=sa.text("'opened'"), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("visited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("(state = 'closed') = (closed_at is not null)", name=op.f("ck_signal_case_closed")),
        sa.CheckConstraint("audience in ('site','obstetrician')", name=op.f("ck_signal_case_audience")),
        sa.CheckConstraint("severity in ('critical','attention')", name=op.f("ck_signal_case_severity")),
        sa.CheckConstraint(
            "state in ('opened','delivered','seen','contacted','visited','closed')", name=op.f("ck_signal_case_state")
        ),
        sa.CheckConstraint("subject in ('hospital_stay','death','pregnancy')", name=op.f("ck_signal_case_subject")),
        sa.CheckConstraint("(closed_at is null) = (outcome is null)", name=op.f("ck_signal_case_outcome")),
        sa.CheckConstraint("closed_at >= opened_at", name=op.f("ck_signal_case_closed_after_opened")),
        sa.CheckConstraint("due_at > opened_at", name=op.f("ck_signal_case_due")),
        sa.CheckConstraint("voided_at is null or void_reason is not null", name=op.f("ck_signal_case_void_has_reason")),
        sa.ForeignKeyConstraint(["icd10_code"], ["icd10.code"], name=op.f("fk_signal_case_icd10_code")),
        sa.ForeignKeyConstraint(["nurse_id"], ["practitioner.id"], name=op.f("fk_signal_case_nurse_id")),
        sa.ForeignKeyConstraint(
            ["origin_organisation_id"], ["organisation.id"], name=op.f("fk_signal_case_origin_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_signal_case_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_signal_case_patient_id")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioner.id"], name=op.f("fk_signal_case_practitioner_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_signal_case_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_case")),
        sa.UniqueConstraint("id", "patient_id", "owner_organisation_id", name="uq_signal_case_part"),
        sa.UniqueConstraint("rule_code", "subject", "subject_id", name="uq_signal_case_subject"),
    )
    op.create_index(
        "ix_signal_case_open",
        "signal_case",
        ["owner_organisation_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_index(
        op.f("ix_signal_case_owner_organisation_id"), "signal_case", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_signal_case_patient_id"), "signal_case", ["patient_id"], unique=False)
    op.create_index(op.f("ix_signal_case_practitioner_id"), "signal_case", ["practitioner_id"], unique=False)
    op.create_table(
        "signal_event",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "kind in ('opened','reason_added','delivered','seen','contacted','visited','note','assigned',"
            "'closed','reopened')",
            name=op.f("ck_signal_event_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id", "patient_id", "owner_organisation_id"],
            ["signal_case.id", "signal_case.patient_id", "signal_case.owner_organisation_id"],
            name="fk_signal_event_case",
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_signal_event_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_signal_event_patient_id")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_signal_event_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_event")),
    )
    op.create_index(op.f("ix_signal_event_case_id"), "signal_event", ["case_id"], unique=False)
    op.create_index(
        op.f("ix_signal_event_owner_organisation_id"), "signal_event", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_signal_event_patient_id"), "signal_event", ["patient_id"], unique=False)
    for statement in (OPEN_SIGNAL, WITHDRAW_SIGNAL, SIGNALS_AND_DEATH, ANSWERS_FOR, MATERNITY_ON):
        op.execute(statement)
    for function in FUNCTIONS:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"grant execute on function {function} to kmis_app")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"drop function {function}")
    op.drop_table("signal_event")
    op.drop_table("signal_case")
