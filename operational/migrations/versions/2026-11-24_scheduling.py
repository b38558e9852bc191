"""Tables: scheduling."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_24_scheduling"
down_revision = "2026_11_24_patients"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "schedule",
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("practitioner_role_id", sa.BigInteger(), nullable=False),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("room_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("slot_minutes", sa.Integer(), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("practitioner_id"), "="),
            (sa.literal_column("tstzrange(starts_at, ends_at)"), "&&"),
            where=sa.text("cancelled_at is null"),
            using="gist",
            name="ex_schedule_practitioner",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("room_id"), "="),
            (sa.literal_column("tstzrange(starts_at, ends_at)"), "&&"),
            where=sa.text("cancelled_at is null"),
            using="gist",
            name="ex_schedule_room",
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_schedule_times")),
        sa.CheckConstraint("slot_minutes between 3 and 240", name=op.f("ck_schedule_slot_minutes")),
        sa.ForeignKeyConstraint(
            ["department_id", "owner_organisation_id"],
            ["department.id", "department.organisation_id"],
            name="fk_schedule_department",
        ),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_schedule_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_role_id", "practitioner_id", "owner_organisation_id"],
            [
                "practitioner_role.id",
                "practitioner_role.practitioner_id",
                "practitioner_role.organisation_id",
            ],
            name="fk_schedule_role",
        ),
        sa.ForeignKeyConstraint(
            ["room_id", "owner_organisation_id"], ["room.id", "room.organisation_id"], name="fk_schedule_room"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
    )
    op.create_index("ix_schedule_owner_starts", "schedule", ["owner_organisation_id", "starts_at"], unique=False)
    op.create_index(op.f("ix_schedule_practitioner_id"), "schedule", ["practitioner_id"], unique=False)
    op.create_table(
        "slot",
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("schedule_id", sa.BigInteger(), nullable=False),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=False),
        sa.Column("room_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("practitioner_id"), "="),
            (sa.literal_column("tstzrange(starts_at, ends_at)"), "&&"),
            where=sa.text("cancelled_at is null"),
            using="gist",
            name="ex_slot_practitioner",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("room_id"), "="),
            (sa.literal_column("tstzrange(starts_at, ends_at)"), "&&"),
            where=sa.text("cancelled_at is null"),
            using="gist",
            name="ex_slot_room",
        ),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_slot_capacity")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_slot_times")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_slot_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioner.id"], name=op.f("fk_slot_practitioner_id")),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_slot_room_id")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name=op.f("fk_slot_schedule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot")),
        sa.UniqueConstraint("id", "capacity", "starts_at", "ends_at", "owner_organisation_id", name="uq_slot_booking"),
    )
    op.create_index("ix_slot_owner_starts", "slot", ["owner_organisation_id", "starts_at"], unique=False)
    op.create_index(op.f("ix_slot_schedule_id"), "slot", ["schedule_id"], unique=False)
    op.create_table(
        "appointment",
        sa.Column("slot_id", sa.BigInteger(), nullable=False),
        sa.Column("slot_capacity", sa.Integer(), nullable=False),
        sa.Column("seat", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=False),
        sa.Column("practitioner_role_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("room_id", sa.BigInteger(), nullable=True),
        sa.Column("service_code", sa.Text(), nullable=True),
        sa.Column("booking_channel", sa.Text(), nullable=False),
        sa.Column("financing_source", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'booked'"), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("booked_by", sa.BigInteger(), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("service_request_id", sa.BigInteger(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("owner_organisation_id"), "="),
            (sa.column("patient_id"), "="),
            (sa.literal_column("tstzrange(starts_at, ends_at)"), "&&"),
            where=sa.text("status in ('booked','arrived','fulfilled')"),
            using="gist",
            name="ex_appointment_patient",
        ),
        sa.CheckConstraint(
            "status <> 'cancelled' or (cancelled_at is not null and cancel_reason is not null)",
            name=op.f("ck_appointment_cancelled_has_reason"),
        ),
        sa.CheckConstraint(
            "status in ('booked','arrived','fulfilled','noshow','cancelled')",
            name=op.f("ck_appointment_status"),
        ),
        sa.CheckConstraint("seat >= 1 and seat <= slot_capacity", name=op.f("ck_appointment_seat_in_capacity")),
        sa.ForeignKeyConstraint(["booked_by"], ["app_user.id"], name=op.f("fk_appointment_booked_by")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_appointment_department_id")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_appointment_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_appointment_patient_id")),
        sa.ForeignKeyConstraint(
            ["practitioner_role_id", "practitioner_id", "owner_organisation_id"],
            [
                "practitioner_role.id",
                "practitioner_role.practitioner_id",
                "practitioner_role.organisation_id",
            ],
            name="fk_appointment_role",
        ),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_appointment_room_id")),
        sa.ForeignKeyConstraint(["service_code"], ["service.code"], name=op.f("fk_appointment_service_code")),
        sa.ForeignKeyConstraint(
            ["slot_id", "slot_capacity", "starts_at", "ends_at", "owner_organisation_id"],
            ["slot.id", "slot.capacity", "slot.starts_at", "slot.ends_at", "slot.owner_organisation_id"],
            name="fk_appointment_slot",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        sa.UniqueConstraint("id", "patient_id", "owner_organisation_id", name="uq_appointment_visit"),
    )
    op.create_index("ix_appointment_day", "appointment", ["practitioner_id", "starts_at"], unique=False)
    op.create_index(
        op.f("ix_appointment_owner_organisation_id"), "appointment", ["owner_organisation_id"], unique=False
    )
    op.create_index("ix_appointment_owner_starts", "appointment", ["owner_organisation_id", "starts_at"], unique=False)
    op.create_index(op.f("ix_appointment_patient_id"), "appointment", ["patient_id"], unique=False)
    op.create_index(
        "uq_appointment_seat",
        "appointment",
        ["slot_id", "seat"],
        unique=True,
        postgresql_where=sa.text("status <> 'cancelled'"),
    )


def downgrade() -> None:
    op.drop_table("appointment")
    op.drop_table("slot")
    op.drop_table("schedule")
