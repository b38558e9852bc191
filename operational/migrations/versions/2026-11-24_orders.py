"""Tables: orders, results, images, devices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_24_orders"
down_revision = "2026_11_24_resources"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_kk", sa.Text(), nullable=False),
        sa.Column("name_ru", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("modality", sa.Text(), nullable=True),
        sa.Column("charset", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("kind in ('modality','analyser','laboratory_system')", name=op.f("ck_device_kind")),
        sa.CheckConstraint("protocol <> 'dicom' or address ~ '^[ -~]{1,16}$'", name=op.f("ck_device_aet")),
        sa.CheckConstraint("protocol in ('dicom','hl7v2')", name=op.f("ck_device_protocol")),
        sa.ForeignKeyConstraint(
            ["department_id", "organisation_id"],
            ["department.id", "department.organisation_id"],
            name=op.f("fk_device_department_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_device_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("code", name=op.f("uq_device_code")),
        sa.UniqueConstraint("protocol", "address", name=op.f("uq_device_protocol_address")),
    )
    op.create_index(op.f("ix_device_organisation_id"), "device", ["organisation_id"], unique=False)
    op.create_table(
        "device_test_code",
        sa.Column("device_id", sa.BigInteger(), nullable=False),
        sa.Column("device_code", sa.Text(), nullable=False),
        sa.Column("test_code", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_device_test_code_device_id")),
        sa.ForeignKeyConstraint(["test_code"], ["lab_test.code"], name=op.f("fk_device_test_code_test_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_test_code")),
        sa.UniqueConstraint("device_id", "device_code", name=op.f("uq_device_test_code_device_id_device_code")),
    )
    op.create_table(
        "diagnostic_order",
        sa.Column("accession_number", sa.Text(), server_default=sa.text("kmis_accession_number()"), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("encounter_id", sa.BigInteger(), nullable=True),
        sa.Column("service_request_id", sa.BigInteger(), nullable=True),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=True),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("performing_organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("service_code", sa.Text(), nullable=True),
        sa.Column("modality", sa.Text(), nullable=True),
        sa.Column("body_part", sa.Text(), nullable=True),
        sa.Column("icd10_code", sa.Text(), nullable=True),
        sa.Column("clinical_note", sa.Text(), nullable=True),
        sa.Column("priority", sa.Text(), server_default=sa.text("'routine'"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("station_aet", sa.Text(), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "(status = 'cancelled') = (cancelled_at is not null)", name=op.f("ck_diagnostic_order_cancelled")
        ),
        sa.CheckConstraint("accession_number ~ '^[A-Z0-9-]{1,16}$'", name=op.f("ck_diagnostic_order_accession_number")),
        sa.CheckConstraint("category <> 'imaging' or modality is not null", name=op.f("ck_diagnostic_order_modality")),
        sa.CheckConstraint("category in ('laboratory','imaging')", name=op.f("ck_diagnostic_order_category")),
        sa.CheckConstraint("priority in ('routine','urgent','stat')", name=op.f("ck_diagnostic_order_priority")),
        sa.CheckConstraint(
            "status in ('active','in_progress','completed','cancelled')", name=op.f("ck_diagnostic_order_status")
        ),
        sa.CheckConstraint(
            "cancelled_at is null or cancel_reason is not null", name=op.f("ck_diagnostic_order_cancel_has_reason")
        ),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_diagnostic_order_department_id")),
        sa.ForeignKeyConstraint(
            ["encounter_id", "patient_id"],
            ["encounter.id", "encounter.patient_id"],
            name="fk_diagnostic_order_encounter",
        ),
        sa.ForeignKeyConstraint(["icd10_code"], ["icd10.code"], name=op.f("fk_diagnostic_order_icd10_code")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_diagnostic_order_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_diagnostic_order_patient_id")),
        sa.ForeignKeyConstraint(
            ["performing_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_diagnostic_order_performing_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_diagnostic_order_practitioner_id")
        ),
        sa.ForeignKeyConstraint(["service_code"], ["service.code"], name=op.f("fk_diagnostic_order_service_code")),
        sa.ForeignKeyConstraint(
            ["service_request_id"], ["service_request.id"], name=op.f("fk_diagnostic_order_service_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_diagnostic_order")),
        sa.UniqueConstraint("accession_number", name=op.f("uq_diagnostic_order_accession_number")),
        sa.UniqueConstraint("id", "patient_id", name="uq_diagnostic_order_part"),
    )
    op.create_index(op.f("ix_diagnostic_order_encounter_id"), "diagnostic_order", ["encounter_id"], unique=False)
    op.create_index("ix_diagnostic_order_ordered", "diagnostic_order", ["ordered_at"], unique=False)
    op.create_index(
        op.f("ix_diagnostic_order_owner_organisation_id"), "diagnostic_order", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_diagnostic_order_patient_id"), "diagnostic_order", ["patient_id"], unique=False)
    op.create_index(
        op.f("ix_diagnostic_order_performing_organisation_id"),
        "diagnostic_order",
        ["performing_organisation_id"],
        unique=False,
    )
    op.create_index("ix_diagnostic_order_scheduled", "diagnostic_order", ["category", "scheduled_at"], unique=False)
    op.create_table(
        "order_test",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("test_code", sa.Text(), nullable=False),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id", "patient_id"],
            ["diagnostic_order.id", "diagnostic_order.patient_id"],
            name="fk_order_test_order",
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_order_test_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_order_test_patient_id")),
        sa.ForeignKeyConstraint(["test_code"], ["lab_test.code"], name=op.f("fk_order_test_test_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_test")),
        sa.UniqueConstraint("order_id", "test_code", name=op.f("uq_order_test_order_id_test_code")),
    )
    op.create_index(op.f("ix_order_test_owner_organisation_id"), "order_test", ["owner_organisation_id"], unique=False)
    op.create_index(op.f("ix_order_test_patient_id"), "order_test", ["patient_id"], unique=False)
    op.create_table(
        "device_message",
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("control_id", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raw_path", sa.Text(), nullable=False),
        sa.Column("raw_bytes", sa.BigInteger(), nullable=False),
        sa.Column("raw_sha256", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'received'"), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("stated", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("matched_by", sa.Text(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.BigInteger(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "(status = 'resolved') = (resolved_at is not null)", name=op.f("ck_device_message_resolved")
        ),
        sa.CheckConstraint("protocol in ('dicom','hl7v2')", name=op.f("ck_device_message_protocol")),
        sa.CheckConstraint("status <> 'matched' or patient_id is not null", name=op.f("ck_device_message_matched")),
        sa.CheckConstraint(
            "status in ('received','matched','unmatched','quarantined','rejected','resolved')",
            name=op.f("ck_device_message_status"),
        ),
        sa.CheckConstraint(
            "status not in ('quarantined','rejected') or problem is not null",
            name=op.f("ck_device_message_problem_named"),
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_device_message_device_id")),
        sa.ForeignKeyConstraint(["order_id"], ["diagnostic_order.id"], name=op.f("fk_device_message_order_id")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_device_message_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_device_message_patient_id")),
        sa.ForeignKeyConstraint(["resolved_by"], ["app_user.id"], name=op.f("fk_device_message_resolved_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_message")),
        sa.UniqueConstraint(
            "raw_sha256", "device_id", name="uq_device_message_raw", postgresql_nulls_not_distinct=True
        ),
    )
    op.create_index("ix_device_message_control", "device_message", ["device_id", "control_id"], unique=False)
    op.create_index(
        "ix_device_message_inbox",
        "device_message",
        ["owner_organisation_id", "received_at"],
        unique=False,
        postgresql_where=sa.text("status in ('unmatched','quarantined')"),
    )
    op.create_index(
        op.f("ix_device_message_owner_organisation_id"), "device_message", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_device_message_patient_id"), "device_message", ["patient_id"], unique=False)
    op.create_table(
        "imaging_study",
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("accession_number", sa.Text(), nullable=True),
        sa.Column("modality", sa.Text(), nullable=True),
        sa.Column("body_part", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'receiving'"), nullable=False),
        sa.Column("series", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("instances", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("stated", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("matched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("matched_by", sa.Text(), nullable=True),
        sa.Column("matched_user_id", sa.BigInteger(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("status in ('receiving','available')", name=op.f("ck_imaging_study_status")),
        sa.CheckConstraint("(patient_id is null) = (matched_at is null)", name=op.f("ck_imaging_study_matched")),
        sa.CheckConstraint("instances >= 0 and series >= 0", name=op.f("ck_imaging_study_counts")),
        sa.CheckConstraint(
            "voided_at is null or void_reason is not null", name=op.f("ck_imaging_study_void_has_reason")
        ),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_imaging_study_device_id")),
        sa.ForeignKeyConstraint(["matched_user_id"], ["app_user.id"], name=op.f("fk_imaging_study_matched_user_id")),
        sa.ForeignKeyConstraint(
            ["order_id", "patient_id"],
            ["diagnostic_order.id", "diagnostic_order.patient_id"],
            name="fk_imaging_study_order",
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_imaging_study_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_imaging_study_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imaging_study")),
        sa.UniqueConstraint("study_uid", name=op.f("uq_imaging_study_study_uid")),
    )
    op.create_index(
        "ix_imaging_study_inbox",
        "imaging_study",
        ["owner_organisation_id", "received_at"],
        unique=False,
        postgresql_where=sa.text("patient_id is null and voided_at is null"),
    )
    op.create_index(op.f("ix_imaging_study_order_id"), "imaging_study", ["order_id"], unique=False)
    op.create_index(
        op.f("ix_imaging_study_owner_organisation_id"), "imaging_study", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_imaging_study_patient_id"), "imaging_study", ["patient_id"], unique=False)
    op.create_table(
        "imaging_instance",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("series_uid", sa.Text(), nullable=False),
        sa.Column("sop_uid", sa.Text(), nullable=False),
        sa.Column("sop_class_uid", sa.Text(), nullable=False),
        sa.Column("transfer_syntax_uid", sa.Text(), nullable=False),
        sa.Column("series_number", sa.BigInteger(), nullable=True),
        sa.Column("instance_number", sa.BigInteger(), nullable=True),
        sa.Column("series_description", sa.Text(), nullable=True),
        sa.Column("modality", sa.Text(), nullable=True),
        sa.Column("frames", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("file_path", sa.Text(), nullable=False),
        sa.Column("file_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("content_date", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_imaging_instance_owner_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imaging_instance")),
        sa.UniqueConstraint("sop_uid", name=op.f("uq_imaging_instance_sop_uid")),
    )
    op.create_index(
        "ix_imaging_instance_order", "imaging_instance", ["study_uid", "series_number", "instance_number"], unique=False
    )
    op.create_index(op.f("ix_imaging_instance_series_uid"), "imaging_instance", ["series_uid"], unique=False)
    op.create_table(
        "diagnostic_report",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("filler_number", sa.Text(), nullable=True),
        sa.Column("device_message_id", sa.BigInteger(), nullable=True),
        sa.Column("imaging_study_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'final'"), nullable=False),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=True),
        sa.Column("conclusion", sa.Text(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("category in ('laboratory','imaging')", name=op.f("ck_diagnostic_report_category")),
        sa.CheckConstraint("source in ('manual','device')", name=op.f("ck_diagnostic_report_source")),
        sa.CheckConstraint(
            "source = 'device' or collected_at is null or collected_at <= issued_at + interval '5 minutes'",
            name=op.f("ck_diagnostic_report_collected"),
        ),
        sa.CheckConstraint("status in ('preliminary','final','corrected')", name=op.f("ck_diagnostic_report_status")),
        sa.CheckConstraint(
            "voided_at is null or void_reason is not null", name=op.f("ck_diagnostic_report_void_has_reason")
        ),
        sa.ForeignKeyConstraint(
            ["device_message_id"], ["device_message.id"], name=op.f("fk_diagnostic_report_device_message_id")
        ),
        sa.ForeignKeyConstraint(
            ["imaging_study_id"],
            ["imaging_study.id"],
            name=op.f("fk_diagnostic_report_imaging_study_id"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id", "patient_id"],
            ["diagnostic_order.id", "diagnostic_order.patient_id"],
            name="fk_diagnostic_report_order",
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_diagnostic_report_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_diagnostic_report_patient_id")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_diagnostic_report_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_diagnostic_report")),
        sa.UniqueConstraint("id", "patient_id", "owner_organisation_id", name="uq_diagnostic_report_part"),
    )
    op.create_index("ix_diagnostic_report_order", "diagnostic_report", ["order_id"], unique=False)
    op.create_index(
        op.f("ix_diagnostic_report_owner_organisation_id"), "diagnostic_report", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_diagnostic_report_patient_id"), "diagnostic_report", ["patient_id"], unique=False)
    op.create_index(
        "uq_diagnostic_report_filler",
        "diagnostic_report",
        ["owner_organisation_id", "filler_number"],
        unique=True,
        postgresql_where=sa.text("filler_number is not null and voided_at is null"),
    )
    op.create_table(
        "lab_result",
        sa.Column("report_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("test_code", sa.Text(), nullable=True),
        sa.Column("device_code", sa.Text(), nullable=True),
        sa.Column("device_name", sa.Text(), nullable=True),
        sa.Column("value_kind", sa.Text(), nullable=False),
        sa.Column("value_number", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("comparator", sa.Text(), nullable=True),
        sa.Column("value_text", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("reference_low", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("reference_high", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("interpretation", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'final'"), nullable=False),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("(value_kind = 'numeric') = (value_number is not null)", name=op.f("ck_lab_result_number")),
        sa.CheckConstraint(
            "comparator is null or comparator in ('<','<=','>=','>')", name=op.f("ck_lab_result_comparator")
        ),
        sa.CheckConstraint(
            "interpretation is null or interpretation in ('LL','L','N','H','HH','A')",
            name=op.f("ck_lab_result_interpretation"),
        ),
        sa.CheckConstraint("status in ('preliminary','final','corrected')", name=op.f("ck_lab_result_status")),
        sa.CheckConstraint("value_kind in ('numeric','text','coded')", name=op.f("ck_lab_result_value_kind")),
        sa.CheckConstraint("value_number is not null or value_text is not null", name=op.f("ck_lab_result_value")),
        sa.CheckConstraint("voided_at is null or void_reason is not null", name=op.f("ck_lab_result_void_has_reason")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_lab_result_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_lab_result_patient_id")),
        sa.ForeignKeyConstraint(
            ["report_id", "patient_id", "owner_organisation_id"],
            ["diagnostic_report.id", "diagnostic_report.patient_id", "diagnostic_report.owner_organisation_id"],
            name="fk_lab_result_report",
        ),
        sa.ForeignKeyConstraint(["test_code"], ["lab_test.code"], name=op.f("fk_lab_result_test_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_result")),
    )
    op.create_index(op.f("ix_lab_result_owner_organisation_id"), "lab_result", ["owner_organisation_id"], unique=False)
    op.create_index(op.f("ix_lab_result_report_id"), "lab_result", ["report_id"], unique=False)
    op.create_index("ix_lab_result_trend", "lab_result", ["patient_id", "test_code", "observed_at"], unique=False)
    op.create_index(
        "uq_lab_result_test",
        "lab_result",
        ["report_id", "test_code"],
        unique=True,
        postgresql_where=sa.text("voided_at is null and test_code is not null"),
    )


def downgrade() -> None:
    op.drop_table("lab_result")
    op.drop_table("diagnostic_report")
    op.drop_table("imaging_instance")
    op.drop_table("imaging_study")
    op.drop_table("device_message")
    op.drop_table("order_test")
    op.drop_table("diagnostic_order")
    op.drop_table("device_test_code")
    op.drop_table("device")
