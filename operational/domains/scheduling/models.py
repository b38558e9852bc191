"""Schedules, the slots they offer, and the bookings of people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ColumnClause,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from operational.kit.base import Base, Created, Fed, PatientData

DURING: ColumnClause[object] = literal_column("tstzrange(starts_at, ends_at)")


class Schedule(Fed, Base):
    """A practitioner's working time in a room, cut into slots."""

    __tablename__ = "schedule"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("slot_minutes between 3 and 240", name="slot_minutes"),
        ForeignKeyConstraint(
            ["practitioner_role_id", "practitioner_id", "owner_organisation_id"],
            ["practitioner_role.id", "practitioner_role.practitioner_id", "practitioner_role.organisation_id"],
            name="fk_schedule_role",
        ),
        ForeignKeyConstraint(
            ["department_id", "owner_organisation_id"], ["department.id", "department.organisation_id"],
            name="fk_schedule_department",
        ),
        ForeignKeyConstraint(
            ["room_id", "owner_organisation_id"], ["room.id", "room.organisation_id"], name="fk_schedule_room"
        ),
        ExcludeConstraint(
            ("practitioner_id", "="), (DURING, "&&"), name="ex_schedule_practitioner", using="gist",
            where=text("cancelled_at is null"),
        ),
        ExcludeConstraint(
            ("room_id", "="), (DURING, "&&"), name="ex_schedule_room", using="gist",
            where=text("cancelled_at is null"),
        ),
        Index("ix_schedule_owner_starts", "owner_organisation_id", "starts_at"),
    )  # fmt: skip
    owner_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    practitioner_role_id: Mapped[int]
    practitioner_id: Mapped[int] = mapped_column(index=True)
    department_id: Mapped[int]
    room_id: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    slot_minutes: Mapped[int] = mapped_column(Integer)
    cancelled_at: Mapped[datetime | None]
    created_at: Mapped[Created]


class Slot(Fed, Base):
    """A piece of a schedule that people are booked into; above a capacity of one it is a group slot."""

    __tablename__ = "slot"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="times"),
        CheckConstraint("capacity >= 1", name="capacity"),
        UniqueConstraint("id", "capacity", "starts_at", "ends_at", "owner_organisation_id", name="uq_slot_booking"),
        ExcludeConstraint(
            ("practitioner_id", "="), (DURING, "&&"), name="ex_slot_practitioner", using="gist",
            where=text("cancelled_at is null"),
        ),
        ExcludeConstraint(
            ("room_id", "="), (DURING, "&&"), name="ex_slot_room", using="gist",
            where=text("cancelled_at is null"),
        ),
        Index("ix_slot_owner_starts", "owner_organisation_id", "starts_at"),
    )  # fmt: skip
    owner_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedule.id"), index=True)
    practitioner_id: Mapped[int] = mapped_column(ForeignKey("practitioner.id"))
    room_id: Mapped[int] = mapped_column(ForeignKey("room.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    blocked_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]


class Appointment(PatientData, Base):
    """A person's booking of one seat of a slot."""

    __tablename__ = "appointment"
    __table_args__ = (
        CheckConstraint("status in ('booked','arrived','fulfilled','noshow','cancelled')", name="status"),
        CheckConstraint("seat >= 1 and seat <= slot_capacity", name="seat_in_capacity"),
        CheckConstraint("status <> 'cancelled' or (cancelled_at is not null and cancel_reason is not null)",
                        name="cancelled_has_reason"),
        ForeignKeyConstraint(
            ["slot_id", "slot_capacity", "starts_at", "ends_at", "owner_organisation_id"],
            ["slot.id", "slot.capacity", "slot.starts_at", "slot.ends_at", "slot.owner_organisation_id"],
            name="fk_appointment_slot", onupdate="CASCADE",
        ),
        ForeignKeyConstraint(
            ["practitioner_role_id", "practitioner_id", "owner_organisation_id"],
            ["practitioner_role.id", "practitioner_role.practitioner_id", "practitioner_role.organisation_id"],
            name="fk_appointment_role",
        ),
        UniqueConstraint("id", "patient_id", "owner_organisation_id", name="uq_appointment_visit"),
        Index("uq_appointment_seat", "slot_id", "seat", unique=True, postgresql_where=text("status <> 'cancelled'")),
        ExcludeConstraint(
            ("owner_organisation_id", "="), ("patient_id", "="), (DURING, "&&"), name="ex_appointment_patient",
            using="gist", where=text("status in ('booked','arrived','fulfilled')"),
        ),
        Index("ix_appointment_day", "practitioner_id", "starts_at"),
        Index("ix_appointment_owner_starts", "owner_organisation_id", "starts_at"),
    )  # fmt: skip
    slot_id: Mapped[int]
    slot_capacity: Mapped[int] = mapped_column(Integer)
    seat: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    practitioner_id: Mapped[int]
    practitioner_role_id: Mapped[int]
    department_id: Mapped[int] = mapped_column(ForeignKey("department.id"))
    room_id: Mapped[int | None] = mapped_column(ForeignKey("room.id"))
    service_code: Mapped[str | None] = mapped_column(ForeignKey("service.code"))
    booking_channel: Mapped[str]
    financing_source: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=text("'booked'"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    booked_at: Mapped[Created]
    booked_by: Mapped[int | None] = mapped_column(ForeignKey("app_user.id"))
    arrived_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    service_request_id: Mapped[int | None]
    comment: Mapped[str | None]
