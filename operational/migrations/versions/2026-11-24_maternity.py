"""Tables: pregnancies, births, home calls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_24_maternity"
down_revision = "2026_11_24_hospital"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pregnancy",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("last_menstrual_date", sa.Date(), nullable=False),
        sa.Column("expected_delivery_date", sa.Date(), nullable=False),
        sa.Column("gravida", sa.BigInteger(), nullable=False),
        sa.Column("para", sa.BigInteger(), nullable=False),
        sa.Column("height_cm", sa.BigInteger(), nullable=True),
        sa.Column("weight_before_kg", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("risk_group", sa.Text(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "outcome in ('birth','miscarriage','abortion','ectopic','missed','mother_died','left_region')",
            name=op.f("ck_pregnancy_outcome"),
        ),
        sa.CheckConstraint("risk_group in ('low','moderate','high')", name=op.f("ck_pregnancy_risk_group")),
        sa.CheckConstraint("(ended_on is null) = (outcome is null)", name=op.f("ck_pregnancy_outcome_at_end")),
        sa.CheckConstraint("ended_on >= last_menstrual_date", name=op.f("ck_pregnancy_ended_on")),
        sa.CheckConstraint(
            "expected_delivery_date > last_menstrual_date", name=op.f("ck_pregnancy_expected_delivery_date")
        ),
        sa.CheckConstraint("gravida >= 1 and para >= 0 and para < gravida + 10", name=op.f("ck_pregnancy_parity")),
        sa.CheckConstraint("last_menstrual_date <= registered_on", name=op.f("ck_pregnancy_last_menstrual_date")),
        sa.CheckConstraint("registered_on - last_menstrual_date <= 320", name=op.f("ck_pregnancy_term")),
        sa.CheckConstraint("voided_at is null or void_reason is not null", name=op.f("ck_pregnancy_void_has_reason")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_pregnancy_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_pregnancy_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pregnancy")),
        sa.UniqueConstraint("id", "patient_id", name="uq_pregnancy_part"),
    )
    op.create_index(op.f("ix_pregnancy_owner_organisation_id"), "pregnancy", ["owner_organisation_id"], unique=False)
    op.create_index(op.f("ix_pregnancy_patient_id"), "pregnancy", ["patient_id"], unique=False)
    op.create_index(
        "uq_pregnancy_open",
        "pregnancy",
        ["patient_id"],
        unique=True,
        postgresql_where=sa.text("ended_on is null and voided_at is null"),
    )
    op.create_table(
        "pregnancy_care",
        sa.Column("pregnancy_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("pregnancy_id"), "="),
            (sa.literal_column("daterange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="ex_pregnancy_care_period",
        ),
        sa.CheckConstraint("valid_to is null or valid_to >= valid_from", name=op.f("ck_pregnancy_care_validity")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_pregnancy_care_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_pregnancy_care_patient_id")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_pregnancy_care_practitioner_id")
        ),
        sa.ForeignKeyConstraint(
            ["pregnancy_id", "patient_id"], ["pregnancy.id", "pregnancy.patient_id"], name="fk_pregnancy_care_pregnancy"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pregnancy_care")),
    )
    op.create_index(
        op.f("ix_pregnancy_care_owner_organisation_id"), "pregnancy_care", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_pregnancy_care_patient_id"), "pregnancy_care", ["patient_id"], unique=False)
    op.create_index(op.f("ix_pregnancy_care_pregnancy_id"), "pregnancy_care", ["pregnancy_id"], unique=False)
    op.create_table(
        "pregnancy_risk_factor",
        sa.Column("pregnancy_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("factor_code", sa.Text(), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "voided_at is null or void_reason is not null", name=op.f("ck_pregnancy_risk_factor_void_has_reason")
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_pregnancy_risk_factor_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_pregnancy_risk_factor_patient_id")),
        sa.ForeignKeyConstraint(
            ["pregnancy_id", "patient_id"],
            ["pregnancy.id", "pregnancy.patient_id"],
            name="fk_pregnancy_risk_factor_pregnancy",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pregnancy_risk_factor")),
    )
    op.create_index(
        op.f("ix_pregnancy_risk_factor_owner_organisation_id"),
        "pregnancy_risk_factor",
        ["owner_organisation_id"],
        unique=False,
    )
    op.create_index(op.f("ix_pregnancy_risk_factor_patient_id"), "pregnancy_risk_factor", ["patient_id"], unique=False)
    op.create_index(
        op.f("ix_pregnancy_risk_factor_pregnancy_id"), "pregnancy_risk_factor", ["pregnancy_id"], unique=False
    )
    op.create_index(
        "uq_pregnancy_risk_factor_code",
        "pregnancy_risk_factor",
        ["pregnancy_id", "factor_code"],
        unique=True,
        postgresql_where=sa.text("voided_at is null"),
    )
    op.create_table(
        "planned_pregnancy_visit",
        sa.Column("pregnancy_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("visit_no", sa.Integer(), nullable=False),
        sa.Column("due_from", sa.Date(), nullable=False),
        sa.Column("due_to", sa.Date(), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("due_to >= due_from", name=op.f("ck_planned_pregnancy_visit_due")),
        sa.CheckConstraint(
            "voided_at is null or void_reason is not null", name=op.f("ck_planned_pregnancy_visit_void_has_reason")
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_planned_pregnancy_visit_owner_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_planned_pregnancy_visit_patient_id")),
        sa.ForeignKeyConstraint(
            ["pregnancy_id", "patient_id"],
            ["pregnancy.id", "pregnancy.patient_id"],
            name="fk_planned_pregnancy_visit_pregnancy",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_pregnancy_visit")),
        sa.UniqueConstraint("pregnancy_id", "visit_no", name=op.f("uq_planned_pregnancy_visit_pregnancy_id_visit_no")),
    )
    op.create_index(
        op.f("ix_planned_pregnancy_visit_owner_organisation_id"),
        "planned_pregnancy_visit",
        ["owner_organisation_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_planned_pregnancy_visit_patient_id"), "planned_pregnancy_visit", ["patient_id"], unique=False
    )
    op.create_table(
        "pregnancy_visit",
        sa.Column("pregnancy_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("visit_no", sa.Integer(), nullable=True),
        sa.Column("visited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Text(), server_default=sa.text("'polyclinic'"), nullable=False),
        sa.Column("gestation_days", sa.BigInteger(), nullable=False),
        sa.Column("weight_kg", sa.Numeric(precision=4, scale=1), nullable=True),
        sa.Column("systolic", sa.BigInteger(), nullable=True),
        sa.Column("diastolic", sa.BigInteger(), nullable=True),
        sa.Column("fundal_height_cm", sa.BigInteger(), nullable=True),
        sa.Column("fetal_heart_rate", sa.BigInteger(), nullable=True),
        sa.Column("oedema", sa.Text(), nullable=True),
        sa.Column("proteinuria", sa.Text(), nullable=True),
        sa.Column("complaint", sa.Text(), nullable=True),
        sa.Column("conclusion", sa.Text(), nullable=True),
        sa.Column("next_visit_on", sa.Date(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("oedema in ('none','legs','generalised')", name=op.f("ck_pregnancy_visit_oedema")),
        sa.CheckConstraint("place in ('polyclinic','home','hospital')", name=op.f("ck_pregnancy_visit_place")),
        sa.CheckConstraint(
            "proteinuria in ('none','trace','1+','2+','3+')", name=op.f("ck_pregnancy_visit_proteinuria")
        ),
        sa.CheckConstraint("fetal_heart_rate between 0 and 260", name=op.f("ck_pregnancy_visit_fetal_heart_rate")),
        sa.CheckConstraint("fundal_height_cm between 0 and 60", name=op.f("ck_pregnancy_visit_fundal_height")),
        sa.CheckConstraint("gestation_days between 0 and 320", name=op.f("ck_pregnancy_visit_gestation")),
        sa.CheckConstraint("systolic >= diastolic", name=op.f("ck_pregnancy_visit_pressure_order")),
        sa.CheckConstraint(
            "systolic between 30 and 350 and diastolic between 0 and 250", name=op.f("ck_pregnancy_visit_pressure")
        ),
        sa.CheckConstraint(
            "voided_at is null or void_reason is not null", name=op.f("ck_pregnancy_visit_void_has_reason")
        ),
        sa.CheckConstraint("weight_kg between 25 and 300", name=op.f("ck_pregnancy_visit_weight")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_pregnancy_visit_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_pregnancy_visit_patient_id")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_pregnancy_visit_practitioner_id")
        ),
        sa.ForeignKeyConstraint(
            ["pregnancy_id", "patient_id"],
            ["pregnancy.id", "pregnancy.patient_id"],
            name="fk_pregnancy_visit_pregnancy",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pregnancy_visit")),
    )
    op.create_index(
        op.f("ix_pregnancy_visit_owner_organisation_id"), "pregnancy_visit", ["owner_organisation_id"], unique=False
    )
    op.create_index(op.f("ix_pregnancy_visit_patient_id"), "pregnancy_visit", ["patient_id"], unique=False)
    op.create_index("ix_pregnancy_visit_visited", "pregnancy_visit", ["pregnancy_id", "visited_at"], unique=False)
    op.create_index(
        "uq_pregnancy_visit_no",
        "pregnancy_visit",
        ["pregnancy_id", "visit_no"],
        unique=True,
        postgresql_where=sa.text("voided_at is null and visit_no is not null"),
    )
    op.create_table(
        "birth",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("pregnancy_id", sa.BigInteger(), nullable=True),
        sa.Column("child_patient_id", sa.BigInteger(), nullable=True),
        sa.Column("born_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery_date", sa.Date(), nullable=False),
        sa.Column("birth_order", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("plurality", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("place", sa.Text(), server_default=sa.text("'hospital'"), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("vital_status", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("delivery_mode", sa.Text(), nullable=False),
        sa.Column("gestation_weeks", sa.BigInteger(), nullable=False),
        sa.Column("weight_g", sa.BigInteger(), nullable=False),
        sa.Column("length_cm", sa.BigInteger(), nullable=True),
        sa.Column("apgar_1", sa.BigInteger(), nullable=True),
        sa.Column("apgar_5", sa.BigInteger(), nullable=True),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("child_patient_id is null or vital_status = 'live'", name=op.f("ck_birth_child_lives")),
        sa.CheckConstraint(
            "delivery_mode in ('vaginal','caesarean_planned','caesarean_emergency','assisted')",
            name=op.f("ck_birth_delivery_mode"),
        ),
        sa.CheckConstraint("place in ('hospital','home','ambulance','other')", name=op.f("ck_birth_place")),
        sa.CheckConstraint("sex in ('M','F','U')", name=op.f("ck_birth_sex")),
        sa.CheckConstraint(
            "vital_status in ('live','stillborn_antenatal','stillborn_intranatal')", name=op.f("ck_birth_vital_status")
        ),
        sa.CheckConstraint("apgar_1 between 0 and 10 and apgar_5 between 0 and 10", name=op.f("ck_birth_apgar")),
        sa.CheckConstraint(
            "birth_order between 1 and plurality and plurality between 1 and 9", name=op.f("ck_birth_plurality")
        ),
        sa.CheckConstraint("child_patient_id <> patient_id", name=op.f("ck_birth_child_is_another")),
        sa.CheckConstraint("gestation_weeks between 20 and 45", name=op.f("ck_birth_gestation")),
        sa.CheckConstraint("length_cm between 15 and 75", name=op.f("ck_birth_length")),
        sa.CheckConstraint("voided_at is null or void_reason is not null", name=op.f("ck_birth_void_has_reason")),
        sa.CheckConstraint("weight_g between 100 and 9000", name=op.f("ck_birth_weight")),
        sa.ForeignKeyConstraint(["child_patient_id"], ["patient.id"], name=op.f("fk_birth_child_patient_id")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_birth_department_id")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_birth_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_birth_patient_id")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioner.id"], name=op.f("fk_birth_practitioner_id")),
        sa.ForeignKeyConstraint(
            ["pregnancy_id", "patient_id"], ["pregnancy.id", "pregnancy.patient_id"], name="fk_birth_pregnancy"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_birth")),
    )
    op.create_index(op.f("ix_birth_owner_organisation_id"), "birth", ["owner_organisation_id"], unique=False)
    op.create_index(op.f("ix_birth_patient_id"), "birth", ["patient_id"], unique=False)
    op.create_index(op.f("ix_birth_pregnancy_id"), "birth", ["pregnancy_id"], unique=False)
    op.create_index(
        "uq_birth_child", "birth", ["child_patient_id"], unique=True, postgresql_where=sa.text("voided_at is null")
    )
    op.create_index(
        "uq_birth_order",
        "birth",
        ["patient_id", "delivery_date", "birth_order"],
        unique=True,
        postgresql_where=sa.text("voided_at is null"),
    )
    op.create_table(
        "home_call",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), server_default=sa.text("'call'"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), server_default=sa.text("'routine'"), nullable=False),
        sa.Column("called_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("complaint", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("temperature_note", sa.Text(), nullable=True),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'registered'"), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("performed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("encounter_id", sa.BigInteger(), nullable=True),
        sa.Column("result_note", sa.Text(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("kind in ('call','active')", name=op.f("ck_home_call_kind")),
        sa.CheckConstraint(
            "source in ('patient','ambulance','hospital','polyclinic','signal')", name=op.f("ck_home_call_source")
        ),
        sa.CheckConstraint(
            "status <> 'assigned' or practitioner_id is not null", name=op.f("ck_home_call_assigned_to_someone")
        ),
        sa.CheckConstraint(
            "status <> 'cancelled' or cancel_reason is not null", name=op.f("ck_home_call_cancel_has_reason")
        ),
        sa.CheckConstraint(
            "status in ('registered','assigned','done','not_found','cancelled')", name=op.f("ck_home_call_status")
        ),
        sa.CheckConstraint(
            "status not in ('done','not_found') or performed_at is not null", name=op.f("ck_home_call_performed")
        ),
        sa.CheckConstraint("urgency in ('routine','urgent')", name=op.f("ck_home_call_urgency")),
        sa.CheckConstraint("due_at >= called_at", name=op.f("ck_home_call_due")),
        sa.CheckConstraint("performed_at >= called_at", name=op.f("ck_home_call_performed_after_call")),
        sa.CheckConstraint("voided_at is null or void_reason is not null", name=op.f("ck_home_call_void_has_reason")),
        sa.ForeignKeyConstraint(
            ["encounter_id", "patient_id"], ["encounter.id", "encounter.patient_id"], name="fk_home_call_encounter"
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_home_call_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_home_call_patient_id")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioner.id"], name=op.f("fk_home_call_practitioner_id")),
        sa.ForeignKeyConstraint(
            ["site_id", "owner_organisation_id"], ["site.id", "site.organisation_id"], name="fk_home_call_site"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_home_call")),
    )
    op.create_index(
        "ix_home_call_open",
        "home_call",
        ["owner_organisation_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("status in ('registered','assigned') and voided_at is null"),
    )
    op.create_index(op.f("ix_home_call_owner_organisation_id"), "home_call", ["owner_organisation_id"], unique=False)
    op.create_index(op.f("ix_home_call_patient_id"), "home_call", ["patient_id"], unique=False)
    op.create_index(op.f("ix_home_call_practitioner_id"), "home_call", ["practitioner_id"], unique=False)


def downgrade() -> None:
    op.drop_table("home_call")
    op.drop_table("birth")
    op.drop_table("pregnancy_visit")
    op.drop_table("planned_pregnancy_visit")
    op.drop_table("pregnancy_risk_factor")
    op.drop_table("pregnancy_care")
    op.drop_table("pregnancy")
