"""Queries on schedules, slots and bookings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from operational.domains.catalogs.models import CodedValue
from operational.domains.organisation.models import Department, Practitioner, PractitionerRole, Room
from operational.domains.patients.models import Patient
from operational.domains.scheduling.models import Appointment, Schedule, Slot

TAKEN = Appointment.status != "cancelled"


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A slot with its doctor and how many seats are free."""

    slot: Slot
    practitioner: Practitioner
    role: PractitionerRole
    room: Room
    free: int


@dataclass(frozen=True, slots=True)
class BookingRow:
    """A booking with its patient and doctor."""

    appointment: Appointment
    patient: Patient
    practitioner: Practitioner


def _holds(model: Any, day: date) -> ColumnElement[bool]:
    return and_(model.valid_from <= day, or_(model.valid_to.is_(None), model.valid_to > day))


def role(session: Session, key: int) -> PractitionerRole | None:
    return session.get(PractitionerRole, key)


def roles(session: Session, organisation_ids: frozenset[int], day: date) -> Sequence[tuple[PractitionerRole, Any, Any]]:
    """Positions of the organisations on a day with practitioner and department, in alphabetical order."""
    rows = session.execute(
        select(PractitionerRole, Practitioner, Department)
        .join(Practitioner, Practitioner.id == PractitionerRole.practitioner_id)
        .join(Department, Department.id == PractitionerRole.department_id)
        .where(PractitionerRole.organisation_id.in_(organisation_ids), _holds(PractitionerRole, day))
        .order_by(Practitioner.sort_key, PractitionerRole.id)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def rooms(session: Session, organisation_ids: frozenset[int]) -> Sequence[Room]:
    return session.scalars(select(Room).where(Room.organisation_id.in_(organisation_ids)).order_by(Room.code)).all()


def _free() -> ColumnElement[Any]:
    taken = select(func.count()).where(Appointment.slot_id == Slot.id, TAKEN).correlate(Slot).scalar_subquery()
    return Slot.capacity - taken


def slots(
    session: Session,
    organisation_ids: frozenset[int],
    start: datetime,
    end: datetime,
    *,
    practitioner_id: int | None = None,
    specialty: str | None = None,
    only_free: bool = False,
    limit: int = 500,
) -> Sequence[SlotRow]:
    """Slots that begin in a time, in order; by doctor or specialty, free ones only if wanted."""
    free = _free()
    conditions: list[ColumnElement[bool]] = [
        Slot.owner_organisation_id.in_(organisation_ids),
        Slot.starts_at >= start,
        Slot.starts_at < end,
        Slot.cancelled_at.is_(None),
    ]
    if practitioner_id is not None:
        conditions.append(Slot.practitioner_id == practitioner_id)
    if specialty:
        conditions.append(PractitionerRole.specialty_code == specialty)
    if only_free:
        conditions += [Slot.blocked_at.is_(None), free > 0]
    rows = session.execute(
        select(Slot, Practitioner, PractitionerRole, Room, free)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .join(PractitionerRole, PractitionerRole.id == Schedule.practitioner_role_id)
        .join(Practitioner, Practitioner.id == Slot.practitioner_id)
        .join(Room, Room.id == Slot.room_id)
        .where(*conditions)
        .order_by(Slot.starts_at, Practitioner.sort_key)
        .limit(limit)
    )
    return [SlotRow(row[0], row[1], row[2], row[3], 0 if row[0].blocked_at else int(row[4])) for row in rows]


def slot(session: Session, key: int, *, lock: bool = False) -> Slot | None:
    query = select(Slot).where(Slot.id == key)
    return session.scalar(query.with_for_update() if lock else query)


def schedule(session: Session, key: int) -> Schedule | None:
    return session.get(Schedule, key)


def taken_seats(session: Session, slot_id: int) -> set[int]:
    return set(session.scalars(select(Appointment.seat).where(Appointment.slot_id == slot_id, TAKEN)))


def insert_booking(session: Session, values: dict[str, Any]) -> int | None:
    """Insert a booking unless the seat or the patient's time is taken; None then (a plain insert can deadlock)."""
    return session.scalar(insert(Appointment).values(**values).on_conflict_do_nothing().returning(Appointment.id))


def patient_busy(
    session: Session, organisation_id: int, patient_id: int, start: datetime, end: datetime
) -> Appointment | None:
    """The patient's other booking of the organisation at that time."""
    return session.scalar(
        select(Appointment).where(
            Appointment.owner_organisation_id == organisation_id,
            Appointment.patient_id == patient_id,
            Appointment.status.in_(("booked", "arrived", "fulfilled")),
            Appointment.starts_at < end,
            Appointment.ends_at > start,
        )
    )


def appointment(session: Session, key: int, *, lock: bool = False) -> Appointment | None:
    query = select(Appointment).where(Appointment.id == key)
    return session.scalar(query.with_for_update() if lock else query)


def bookings(
    session: Session,
    organisation_ids: frozenset[int],
    start: datetime,
    end: datetime,
    *,
    practitioner_id: int | None = None,
) -> Sequence[BookingRow]:
    """Bookings that begin in a time, in order."""
    conditions: list[ColumnElement[bool]] = [
        Appointment.owner_organisation_id.in_(organisation_ids),
        Appointment.starts_at >= start,
        Appointment.starts_at < end,
    ]
    if practitioner_id is not None:
        conditions.append(Appointment.practitioner_id == practitioner_id)
    rows = session.execute(
        select(Appointment, Patient, Practitioner)
        .join(Patient, Patient.id == Appointment.patient_id)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .where(*conditions)
        .order_by(Appointment.starts_at, Appointment.seat)
    )
    return [BookingRow(row[0], row[1], row[2]) for row in rows]


def bookings_of(
    session: Session, patient_ids: Sequence[int], *, limit: int
) -> Sequence[tuple[Appointment, Practitioner]]:
    """The newest bookings of these records."""
    rows = session.execute(
        select(Appointment, Practitioner)
        .join(Practitioner, Practitioner.id == Appointment.practitioner_id)
        .where(Appointment.patient_id.in_(patient_ids))
        .order_by(Appointment.starts_at.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def count_bookings(session: Session, patient_ids: Sequence[int]) -> int:
    counted = select(func.count()).select_from(Appointment).where(Appointment.patient_id.in_(patient_ids))
    return int(session.scalar(counted) or 0)


def patient(session: Session, key: int) -> Patient | None:
    return session.get(Patient, key)


def coded_values(session: Session, directory: str) -> Sequence[CodedValue]:
    return session.scalars(
        select(CodedValue)
        .where(CodedValue.directory_code == directory, CodedValue.active)
        .order_by(CodedValue.sort_order, CodedValue.code)
    ).all()
