"""Tables: the hospital."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_24_hospital"
down_revision = "2026_11_24_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hospital_presentation",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("admission_type", sa.Text(), server_default=sa.text("'emergency'"), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrival_channel", sa.Text(), nullable=False),
        sa.Column("referring_organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("service_request_id", sa.BigInteger(), nullable=True),
        sa.Column("triage_zone", sa.Text(), nullable=True),
        sa.Column("complaint", sa.Text(), nullable=True),
        sa.Column("pulse", sa.BigInteger(), nullable=True),
        sa.Column("systolic", sa.BigInteger(), nullable=True),
        sa.Column("diastolic", sa.BigInteger(), nullable=True),
        sa.Column("spo2", sa.BigInteger(), nullable=True),
        sa.Column("temperature", sa.Numeric(precision=3, scale=1), nullable=True),
        sa.Column("respiratory_rate", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=True),
        sa.Column("icd10_code", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal_reason", sa.Text(), nullable=True),
        sa.Column("target_organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "(decision = 'waiting') = (decided_at is null)", name=op.f("ck_hospital_presentation_decided")
        ),
        sa.CheckConstraint(
            "admission_type in ('planned','emergency')", name=op.f("ck_hospital_presentation_admission_type")
        ),
        sa.CheckConstraint(
            "decision <> 'refused' or refusal_reason is not null",
            name=op.f("ck_hospital_presentation_refusal_has_reason"),
        ),
        sa.CheckConstraint(
            "decision <> 'transferred' or target_organisation_id is not null",
            name=op.f("ck_hospital_presentation_transfer_target"),
        ),
        sa.CheckConstraint(
            "decision in ('waiting','admitted','refused','transferred','left','died')",
            name=op.f("ck_hospital_presentation_decision"),
        ),
        sa.CheckConstraint(
            "triage_zone in ('red','yellow','green')", name=op.f("ck_hospital_presentation_triage_zone")
        ),
        sa.CheckConstraint("decided_at >= arrived_at", name=op.f("ck_hospital_presentation_decided_after_arrival")),
        sa.CheckConstraint("pulse between 0 and 300", name=op.f("ck_hospital_presentation_pulse")),
        sa.CheckConstraint(
            "respiratory_rate between 0 and 120", name=op.f("ck_hospital_presentation_respiratory_rate")
        ),
        sa.CheckConstraint("seen_at >= arrived_at", name=op.f("ck_hospital_presentation_seen_after_arrival")),
        sa.CheckConstraint("spo2 between 0 and 100", name=op.f("ck_hospital_presentation_spo2")),
        sa.CheckConstraint(
            "systolic between 0 and 350 and diastolic between 0 and 250", name=op.f("ck_hospital_presentation_pressure")
        ),
        sa.CheckConstraint("temperature between 20 and 45", name=op.f("ck_hospital_presentation_temperature")),
        sa.CheckConstraint(
            "voided_at is null or void_reason is not null", name=op.f("ck_hospital_presentation_void_has_reason")
        ),
        sa.ForeignKeyConstraint(
            ["department_id", "owner_organisation_id"],
            ["department.id", "department.organisation_id"],
            name="fk_hospital_presentation_department",
        ),
        sa.ForeignKeyConstraint(["icd10_code"], ["icd10.code"], name=op.f("fk_hospital_presentation_icd10_code")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_hospital_presentation_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_hospital_presentation_patient_id")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_hospital_presentation_practitioner_id")
        ),
        sa.ForeignKeyConstraint(
            ["referring_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_hospital_presentation_referring_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["service_request_id"], ["service_request.id"], name=op.f("fk_hospital_presentation_service_request_id")
        ),
        sa.ForeignKeyConstraint(
            ["target_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_hospital_presentation_target_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hospital_presentation")),
        sa.UniqueConstraint("id", "patient_id", "owner_organisation_id", name="uq_hospital_presentation_part"),
    )
    op.create_index(
        "ix_hospital_presentation_arrived",
        "hospital_presentation",
        ["owner_organisation_id", "arrived_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_hospital_presentation_owner_organisation_id"),
        "hospital_presentation",
        ["owner_organisation_id"],
        unique=False,
    )
    op.create_index(op.f("ix_hospital_presentation_patient_id"), "hospital_presentation", ["patient_id"], unique=False)
    op.create_index(
        "uq_hospital_presentation_waiting",
        "hospital_presentation",
        ["owner_organisation_id", "patient_id"],
        unique=True,
        postgresql_where=sa.text("decision = 'waiting' and voided_at is null"),
    )
    op.create_table(
        "hospital_stay",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("presentation_id", sa.BigInteger(), nullable=True),
        sa.Column("case_number", sa.Text(), server_default=sa.text("kmis_case_number()"), nullable=False),
        sa.Column("admission_type", sa.Text(), nullable=False),
        sa.Column("hospital_kind", sa.Text(), server_default=sa.text("'round_the_clock'"), nullable=False),
        sa.Column("arrival_channel", sa.Text(), nullable=False),
        sa.Column("referring_organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("financing_source", sa.Text(), nullable=False),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("discharged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("treatment_result", sa.Text(), nullable=True),
        sa.Column("target_organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("epicrisis", sa.Text(), nullable=True),
        sa.Column("recommendations", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("patient_id"), "="),
            (sa.literal_column("tstzrange(admitted_at, discharged_at)"), "&&"),
            where=sa.text("voided_at is null"),
            using="gist",
            name="ex_hospital_stay_period",
        ),
        sa.CheckConstraint("admission_type in ('planned','emergency')", name=op.f("ck_hospital_stay_admission_type")),
        sa.CheckConstraint(
            "condition in ('satisfactory','moderate','severe','extremely_severe')",
            name=op.f("ck_hospital_stay_condition"),
        ),
        sa.CheckConstraint("hospital_kind in ('round_the_clock','day')", name=op.f("ck_hospital_stay_hospital_kind")),
        sa.CheckConstraint(
            "outcome <> 'transferred' or target_organisation_id is not null",
            name=op.f("ck_hospital_stay_transfer_target"),
        ),
        sa.CheckConstraint(
            "outcome in ('discharged','transferred','left','died')", name=op.f("ck_hospital_stay_outcome")
        ),
        sa.CheckConstraint(
            "treatment_result in ('recovery','improvement','no_change','worsening','death')",
            name=op.f("ck_hospital_stay_treatment_result"),
        ),
        sa.CheckConstraint(
            "(discharged_at is null) = (outcome is null)", name=op.f("ck_hospital_stay_outcome_at_discharge")
        ),
        sa.CheckConstraint("discharged_at >= admitted_at", name=op.f("ck_hospital_stay_times")),
        sa.CheckConstraint(
            "signed_at is null or discharged_at is not null", name=op.f("ck_hospital_stay_signed_is_discharged")
        ),
        sa.CheckConstraint(
            "voided_at is null or void_reason is not null", name=op.f("ck_hospital_stay_void_has_reason")
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_hospital_stay_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_hospital_stay_patient_id")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_hospital_stay_practitioner_id")
        ),
        sa.ForeignKeyConstraint(
            ["presentation_id", "patient_id", "owner_organisation_id"],
            [
                "hospital_presentation.id",
                "hospital_presentation.patient_id",
                "hospital_presentation.owner_organisation_id",
            ],
            name="fk_hospital_stay_presentation",
        ),
        sa.ForeignKeyConstraint(
            ["referring_organisation_id"], ["organisation.id"], name=op.f("fk_hospital_stay_referring_organisation_id")
        ),
        sa.ForeignKeyConstraint(["signed_by"], ["app_user.id"], name=op.f("fk_hospital_stay_signed_by")),
        sa.ForeignKeyConstraint(
            ["target_organisation_id"], ["organisation.id"], name=op.f("fk_hospital_stay_target_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hospital_stay")),
        sa.UniqueConstraint("id", "patient_id", "owner_organisation_id", name="uq_hospital_stay_part"),
        sa.UniqueConstraint("owner_organisation_id", "case_number", name="uq_hospital_stay_case_number"),
    )
    op.create_index(
        "ix_hospital_stay_open",
        "hospital_stay",
        ["owner_organisation_id"],
        unique=False,
        postgresql_where=sa.text("discharged_at is null and voided_at is null"),
    )
    op.create_index(
        op.f("ix_hospital_stay_owner_organisation_id"), "hospital_stay", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_hospital_stay_patient_id"), "hospital_stay", ["patient_id"], unique=False)
    op.create_index(
        "uq_hospital_stay_presentation",
        "hospital_stay",
        ["presentation_id"],
        unique=True,
        postgresql_where=sa.text("voided_at is null"),
    )
    op.create_table(
        "stay_diagnosis",
        sa.Column("stay_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("rank", sa.Text(), nullable=False),
        sa.Column("icd10_code", sa.Text(), nullable=False),
        sa.Column("established_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("phase in ('admission','clinical','final')", name=op.f("ck_stay_diagnosis_phase")),
        sa.CheckConstraint("rank in ('main','complication','comorbid')", name=op.f("ck_stay_diagnosis_rank")),
        sa.CheckConstraint(
            "voided_at is null or void_reason is not null", name=op.f("ck_stay_diagnosis_void_has_reason")
        ),
        sa.ForeignKeyConstraint(["icd10_code"], ["icd10.code"], name=op.f("fk_stay_diagnosis_icd10_code")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_stay_diagnosis_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_stay_diagnosis_patient_id")),
        sa.ForeignKeyConstraint(
            ["stay_id", "patient_id", "owner_organisation_id"],
            ["hospital_stay.id", "hospital_stay.patient_id", "hospital_stay.owner_organisation_id"],
            name="fk_stay_diagnosis_stay",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stay_diagnosis")),
    )
    op.create_index(
        op.f("ix_stay_diagnosis_owner_organisation_id"), "stay_diagnosis", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_stay_diagnosis_patient_id"), "stay_diagnosis", ["patient_id"], unique=False)
    op.create_index(op.f("ix_stay_diagnosis_stay_id"), "stay_diagnosis", ["stay_id"], unique=False)
    op.create_index(
        "uq_stay_diagnosis_code",
        "stay_diagnosis",
        ["stay_id", "phase", "icd10_code"],
        unique=True,
        postgresql_where=sa.text("voided_at is null"),
    )
    op.create_index(
        "uq_stay_diagnosis_main",
        "stay_diagnosis",
        ["stay_id", "phase"],
        unique=True,
        postgresql_where=sa.text("rank = 'main' and voided_at is null"),
    )
    op.create_table(
        "ward_movement",
        sa.Column("stay_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("bed_profile", sa.Text(), nullable=False),
        sa.Column("ward", sa.Text(), nullable=True),
        sa.Column("bed", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("department_id"), "="),
            (sa.column("bed"), "="),
            (sa.literal_column("tstzrange(started_at, ended_at)"), "&&"),
            where=sa.text("voided_at is null and bed is not null"),
            using="gist",
            name="ex_ward_movement_bed",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("stay_id"), "="),
            (sa.literal_column("tstzrange(started_at, ended_at)"), "&&"),
            where=sa.text("voided_at is null"),
            using="gist",
            name="ex_ward_movement_period",
        ),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_ward_movement_times")),
        sa.CheckConstraint(
            "voided_at is null or void_reason is not null", name=op.f("ck_ward_movement_void_has_reason")
        ),
        sa.ForeignKeyConstraint(
            ["department_id", "owner_organisation_id"],
            ["department.id", "department.organisation_id"],
            name="fk_ward_movement_department",
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_ward_movement_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_ward_movement_patient_id")),
        sa.ForeignKeyConstraint(
            ["stay_id", "patient_id", "owner_organisation_id"],
            ["hospital_stay.id", "hospital_stay.patient_id", "hospital_stay.owner_organisation_id"],
            name="fk_ward_movement_stay",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ward_movement")),
    )
    op.create_index(op.f("ix_ward_movement_department_id"), "ward_movement", ["department_id"], unique=False)
    op.create_index(
        op.f("ix_ward_movement_owner_organisation_id"), "ward_movement", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_ward_movement_patient_id"), "ward_movement", ["patient_id"], unique=False)
    op.create_index(op.f("ix_ward_movement_stay_id"), "ward_movement", ["stay_id"], unique=False)
    op.create_table(
        "vital_sign",
        sa.Column("stay_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("temperature", sa.Numeric(precision=3, scale=1), nullable=True),
        sa.Column("pulse", sa.BigInteger(), nullable=True),
        sa.Column("systolic", sa.BigInteger(), nullable=True),
        sa.Column("diastolic", sa.BigInteger(), nullable=True),
        sa.Column("respiratory_rate", sa.BigInteger(), nullable=True),
        sa.Column("spo2", sa.BigInteger(), nullable=True),
        sa.Column("chills_flag", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(temperature, pulse, systolic, respiratory_rate, spo2) > 0",
            name=op.f("ck_vital_sign_some_value"),
        ),
        sa.CheckConstraint("pulse between 0 and 300", name=op.f("ck_vital_sign_pulse")),
        sa.CheckConstraint("respiratory_rate between 0 and 120", name=op.f("ck_vital_sign_respiratory_rate")),
        sa.CheckConstraint("spo2 between 0 and 100", name=op.f("ck_vital_sign_spo2")),
        sa.CheckConstraint("systolic >= diastolic", name=op.f("ck_vital_sign_pressure_order")),
        sa.CheckConstraint(
            "systolic between 0 and 350 and diastolic between 0 and 250", name=op.f("ck_vital_sign_pressure")
        ),
        sa.CheckConstraint("temperature between 20 and 45", name=op.f("ck_vital_sign_temperature")),
        sa.CheckConstraint("voided_at is null or void_reason is not null", name=op.f("ck_vital_sign_void_has_reason")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_vital_sign_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_vital_sign_patient_id")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioner.id"], name=op.f("fk_vital_sign_practitioner_id")),
        sa.ForeignKeyConstraint(
            ["stay_id", "patient_id", "owner_organisation_id"],
            ["hospital_stay.id", "hospital_stay.patient_id", "hospital_stay.owner_organisation_id"],
            name="fk_vital_sign_stay",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vital_sign")),
    )
    op.create_index(op.f("ix_vital_sign_owner_organisation_id"), "vital_sign", ["owner_organisation_id"], unique=False)
    op.create_index(op.f("ix_vital_sign_patient_id"), "vital_sign", ["patient_id"], unique=False)
    op.create_index("ix_vital_sign_stay", "vital_sign", ["stay_id", "measured_at"], unique=False)
    op.create_table(
        "stay_operation",
        sa.Column("stay_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("operation_code", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("surgeon_id", sa.BigInteger(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("anaesthesia", sa.Text(), nullable=False),
        sa.Column("complication", sa.Text(), nullable=True),
        sa.Column("protocol", sa.Text(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "anaesthesia in ('none','local','regional','general','combined')",
            name=op.f("ck_stay_operation_anaesthesia"),
        ),
        sa.CheckConstraint("urgency in ('planned','urgent','emergency')", name=op.f("ck_stay_operation_urgency")),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_stay_operation_times")),
        sa.CheckConstraint(
            "voided_at is null or void_reason is not null", name=op.f("ck_stay_operation_void_has_reason")
        ),
        sa.ForeignKeyConstraint(["operation_code"], ["operation.code"], name=op.f("fk_stay_operation_operation_code")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_stay_operation_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_stay_operation_patient_id")),
        sa.ForeignKeyConstraint(
            ["stay_id", "patient_id", "owner_organisation_id"],
            ["hospital_stay.id", "hospital_stay.patient_id", "hospital_stay.owner_organisation_id"],
            name="fk_stay_operation_stay",
        ),
        sa.ForeignKeyConstraint(["surgeon_id"], ["practitioner.id"], name=op.f("fk_stay_operation_surgeon_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stay_operation")),
    )
    op.create_index(
        op.f("ix_stay_operation_owner_organisation_id"), "stay_operation", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_stay_operation_patient_id"), "stay_operation", ["patient_id"], unique=False)
    op.create_index(op.f("ix_stay_operation_stay_id"), "stay_operation", ["stay_id"], unique=False)
    op.create_table(
        "transfusion",
        sa.Column("stay_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("volume_ml", sa.BigInteger(), nullable=False),
        sa.Column("blood_group", sa.Text(), nullable=False),
        sa.Column("rhesus", sa.Text(), nullable=False),
        sa.Column("unit_number", sa.Text(), nullable=False),
        sa.Column("indication", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reaction_flag", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reaction_note", sa.Text(), nullable=True),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("blood_group in ('O','A','B','AB')", name=op.f("ck_transfusion_blood_group")),
        sa.CheckConstraint(
            "component in ('whole_blood','red_cells','plasma','platelets','cryoprecipitate','albumin')",
            name=op.f("ck_transfusion_component"),
        ),
        sa.CheckConstraint("rhesus in ('+','-')", name=op.f("ck_transfusion_rhesus")),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_transfusion_times")),
        sa.CheckConstraint(
            "not reaction_flag or reaction_note is not null", name=op.f("ck_transfusion_reaction_named")
        ),
        sa.CheckConstraint("voided_at is null or void_reason is not null", name=op.f("ck_transfusion_void_has_reason")),
        sa.CheckConstraint("volume_ml between 1 and 10000", name=op.f("ck_transfusion_volume")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_transfusion_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_transfusion_patient_id")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioner.id"], name=op.f("fk_transfusion_practitioner_id")),
        sa.ForeignKeyConstraint(
            ["stay_id", "patient_id", "owner_organisation_id"],
            ["hospital_stay.id", "hospital_stay.patient_id", "hospital_stay.owner_organisation_id"],
            name="fk_transfusion_stay",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfusion")),
    )
    op.create_index(
        op.f("ix_transfusion_owner_organisation_id"), "transfusion", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_transfusion_patient_id"), "transfusion", ["patient_id"], unique=False)
    op.create_index(op.f("ix_transfusion_stay_id"), "transfusion", ["stay_id"], unique=False)


def downgrade() -> None:
    op.drop_table("transfusion")
    op.drop_table("stay_operation")
    op.drop_table("vital_sign")
    op.drop_table("ward_movement")
    op.drop_table("stay_diagnosis")
    op.drop_table("hospital_stay")
    op.drop_table("hospital_presentation")
