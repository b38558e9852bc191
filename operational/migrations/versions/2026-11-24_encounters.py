"""Tables: encounters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_24_encounters"
down_revision = "2026_11_24_scheduling"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "encounter",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("appointment_id", sa.BigInteger(), nullable=True),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=False),
        sa.Column("practitioner_role_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Text(), server_default=sa.text("'polyclinic'"), nullable=False),
        sa.Column("visit_reason", sa.Text(), nullable=False),
        sa.Column("visit_kind", sa.Text(), nullable=False),
        sa.Column("financing_source", sa.Text(), nullable=False),
        sa.Column("insurance_status", sa.Text(), server_default=sa.text("'unknown'"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'in_progress'"), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("complaints", sa.Text(), nullable=True),
        sa.Column("anamnesis", sa.Text(), nullable=True),
        sa.Column("objective", sa.Text(), nullable=True),
        sa.Column("plan", sa.Text(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("(status = 'entered_in_error') = (voided_at is not null)", name=op.f("ck_encounter_voided")),
        sa.CheckConstraint("place in ('polyclinic','home','remote')", name=op.f("ck_encounter_place")),
        sa.CheckConstraint(
            "signed_at is null or status = 'finished' or voided_at is not null",
            name=op.f("ck_encounter_signed_is_finished"),
        ),
        sa.CheckConstraint(
            "status <> 'finished' or (ended_at is not null and outcome is not null)",
            name=op.f("ck_encounter_finished"),
        ),
        sa.CheckConstraint("status in ('in_progress','finished','entered_in_error')", name=op.f("ck_encounter_status")),
        sa.CheckConstraint("visit_kind in ('primary','repeat')", name=op.f("ck_encounter_visit_kind")),
        sa.CheckConstraint("ended_at is null or ended_at >= started_at", name=op.f("ck_encounter_times")),
        sa.CheckConstraint("voided_at is null or void_reason is not null", name=op.f("ck_encounter_void_has_reason")),
        sa.ForeignKeyConstraint(
            ["appointment_id", "patient_id", "owner_organisation_id"],
            ["appointment.id", "appointment.patient_id", "appointment.owner_organisation_id"],
            name="fk_encounter_appointment",
        ),
        sa.ForeignKeyConstraint(
            ["department_id", "owner_organisation_id"],
            ["department.id", "department.organisation_id"],
            name="fk_encounter_department",
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_encounter_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_encounter_patient_id")),
        sa.ForeignKeyConstraint(
            ["practitioner_role_id", "practitioner_id", "owner_organisation_id"],
            [
                "practitioner_role.id",
                "practitioner_role.practitioner_id",
                "practitioner_role.organisation_id",
            ],
            name="fk_encounter_role",
        ),
        sa.ForeignKeyConstraint(["signed_by"], ["app_user.id"], name=op.f("fk_encounter_signed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_encounter")),
        sa.UniqueConstraint("id", "patient_id", "owner_organisation_id", name="uq_encounter_part"),
    )
    op.create_index(op.f("ix_encounter_owner_organisation_id"), "encounter", ["owner_organisation_id"], unique=False)
    op.create_index(op.f("ix_encounter_patient_id"), "encounter", ["patient_id"], unique=False)
    op.create_index("ix_encounter_practitioner_started", "encounter", ["practitioner_id", "started_at"], unique=False)
    op.create_index(
        "uq_encounter_appointment",
        "encounter",
        ["appointment_id"],
        unique=True,
        postgresql_where=sa.text("voided_at is null"),
    )
    op.create_table(
        "condition",
        sa.Column("encounter_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("icd10_code", sa.Text(), nullable=False),
        sa.Column("rank", sa.Text(), nullable=False),
        sa.Column("verification", sa.Text(), server_default=sa.text("'final'"), nullable=False),
        sa.Column("character", sa.Text(), server_default=sa.text("'na'"), nullable=False),
        sa.Column("first_in_life_flag", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("injury_type", sa.Text(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "character in ('acute','chronic_first','chronic_known','na')", name=op.f("ck_condition_character")
        ),
        sa.CheckConstraint("rank in ('main','complication','comorbid')", name=op.f("ck_condition_rank")),
        sa.CheckConstraint("verification in ('preliminary','final')", name=op.f("ck_condition_verification")),
        sa.CheckConstraint("voided_at is null or void_reason is not null", name=op.f("ck_condition_void_has_reason")),
        sa.ForeignKeyConstraint(
            ["encounter_id", "patient_id", "owner_organisation_id"],
            ["encounter.id", "encounter.patient_id", "encounter.owner_organisation_id"],
            name="fk_condition_encounter",
        ),
        sa.ForeignKeyConstraint(["icd10_code"], ["icd10.code"], name=op.f("fk_condition_icd10_code")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_condition_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_condition_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_condition")),
    )
    op.create_index(op.f("ix_condition_encounter_id"), "condition", ["encounter_id"], unique=False)
    op.create_index(op.f("ix_condition_owner_organisation_id"), "condition", ["owner_organisation_id"], unique=False)
    op.create_index(op.f("ix_condition_patient_id"), "condition", ["patient_id"], unique=False)
    op.create_index(
        "uq_condition_code",
        "condition",
        ["encounter_id", "icd10_code"],
        unique=True,
        postgresql_where=sa.text("voided_at is null"),
    )
    op.create_index(
        "uq_condition_main",
        "condition",
        ["encounter_id"],
        unique=True,
        postgresql_where=sa.text("rank = 'main' and voided_at is null"),
    )
    op.create_table(
        "procedure",
        sa.Column("encounter_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("service_code", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("tariff_kzt", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("performer_id", sa.BigInteger(), nullable=False),
        sa.Column("financing_source", sa.Text(), nullable=False),
        sa.Column("performed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("quantity between 1 and 1000", name=op.f("ck_procedure_quantity")),
        sa.CheckConstraint("tariff_kzt >= 0", name=op.f("ck_procedure_tariff")),
        sa.CheckConstraint("voided_at is null or void_reason is not null", name=op.f("ck_procedure_void_has_reason")),
        sa.ForeignKeyConstraint(
            ["encounter_id", "patient_id", "owner_organisation_id"],
            ["encounter.id", "encounter.patient_id", "encounter.owner_organisation_id"],
            name="fk_procedure_encounter",
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_procedure_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_procedure_patient_id")),
        sa.ForeignKeyConstraint(["performer_id"], ["practitioner.id"], name=op.f("fk_procedure_performer_id")),
        sa.ForeignKeyConstraint(["service_code"], ["service.code"], name=op.f("fk_procedure_service_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure")),
    )
    op.create_index(op.f("ix_procedure_encounter_id"), "procedure", ["encounter_id"], unique=False)
    op.create_index(op.f("ix_procedure_owner_organisation_id"), "procedure", ["owner_organisation_id"], unique=False)
    op.create_index(op.f("ix_procedure_patient_id"), "procedure", ["patient_id"], unique=False)
    op.create_table(
        "service_request",
        sa.Column("encounter_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), server_default=sa.text("kmis_referral_number()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("service_code", sa.Text(), nullable=True),
        sa.Column("target_organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("specialty_code", sa.Text(), nullable=True),
        sa.Column("icd10_code", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), server_default=sa.text("'routine'"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("priority in ('routine','urgent')", name=op.f("ck_service_request_priority")),
        sa.CheckConstraint(
            "status <> 'revoked' or revoke_reason is not null",
            name=op.f("ck_service_request_revoked_has_reason"),
        ),
        sa.CheckConstraint("status in ('active','completed','revoked')", name=op.f("ck_service_request_status")),
        sa.CheckConstraint(
            "valid_until is null or valid_until >= (requested_at at time zone 'UTC')::date",
            name=op.f("ck_service_request_validity"),
        ),
        sa.ForeignKeyConstraint(
            ["encounter_id", "patient_id", "owner_organisation_id"],
            ["encounter.id", "encounter.patient_id", "encounter.owner_organisation_id"],
            name="fk_service_request_encounter",
        ),
        sa.ForeignKeyConstraint(["icd10_code"], ["icd10.code"], name=op.f("fk_service_request_icd10_code")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_service_request_owner_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_service_request_patient_id")),
        sa.ForeignKeyConstraint(["service_code"], ["service.code"], name=op.f("fk_service_request_service_code")),
        sa.ForeignKeyConstraint(
            ["target_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_service_request_target_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_request")),
        sa.UniqueConstraint(
            "owner_organisation_id", "number", name=op.f("uq_service_request_owner_organisation_id_number")
        ),
    )
    op.create_index(op.f("ix_service_request_encounter_id"), "service_request", ["encounter_id"], unique=False)
    op.create_index(
        op.f("ix_service_request_owner_organisation_id"),
        "service_request",
        ["owner_organisation_id"],
        unique=False,
    )
    op.create_index(op.f("ix_service_request_patient_id"), "service_request", ["patient_id"], unique=False)
    op.create_table(
        "signed_document",
        sa.Column("encounter_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("patient_snapshot", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_by", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["encounter_id", "patient_id", "owner_organisation_id"],
            ["encounter.id", "encounter.patient_id", "encounter.owner_organisation_id"],
            name="fk_signed_document_encounter",
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_signed_document_owner_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_signed_document_patient_id")),
        sa.ForeignKeyConstraint(["signed_by"], ["app_user.id"], name=op.f("fk_signed_document_signed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed_document")),
        sa.UniqueConstraint("encounter_id", "version", name=op.f("uq_signed_document_encounter_id_version")),
    )
    op.create_index(
        op.f("ix_signed_document_owner_organisation_id"),
        "signed_document",
        ["owner_organisation_id"],
        unique=False,
    )
    op.create_index(op.f("ix_signed_document_patient_id"), "signed_document", ["patient_id"], unique=False)
    op.create_table(
        "document_draft",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("form_key", sa.Text(), nullable=False),
        sa.Column("subject_key", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_document_draft_author_id")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_document_draft_owner_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_draft")),
        sa.UniqueConstraint(
            "author_id",
            "form_key",
            "subject_key",
            name=op.f("uq_document_draft_author_id_form_key_subject_key"),
        ),
    )


def downgrade() -> None:
    op.drop_table("document_draft")
    op.drop_table("signed_document")
    op.drop_table("service_request")
    op.drop_table("procedure")
    op.drop_table("condition")
    op.drop_table("encounter")
