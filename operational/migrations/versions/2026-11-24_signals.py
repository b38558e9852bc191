"""Tables: signal cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_24_signals"
down_revision = "2026_11_24_maternity"
branch_labels = None
depends_on = None


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


def downgrade() -> None:
    op.drop_table("signal_event")
    op.drop_table("signal_case")
