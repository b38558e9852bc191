"""Schedules are made and cut into slots; people are booked, arrive, do not come, or cancel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.clock import Clock, local_date
from operational.domains.scheduling import errors, repository
from operational.domains.scheduling.models import Appointment, Schedule, Slot
from operational.domains.scheduling.schemas import Book, MakeSchedule
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.db import give_reason
from operational.kit.errors import NotFound, constraint_of

REFUSALS = {
    "ex_schedule_practitioner": errors.PractitionerBusy,
    "ex_slot_practitioner": errors.PractitionerBusy,
    "ex_schedule_room": errors.RoomBusy,
    "ex_slot_room": errors.RoomBusy,
    "fk_schedule_room": errors.RoomBusy,
    "fk_schedule_role": errors.NoRole,
    "ck_schedule_times": errors.ScheduleEndsBeforeStart,
    "ex_appointment_patient": errors.PatientBusy,
}
# A slot may still be given away while it runs.
GRACE = timedelta(minutes=30)
LONGEST_DAYS = 366


class Scheduling:
    """The use cases of schedules and bookings for one session."""

    def __init__(self, session: Session, clock: Clock, zone: ZoneInfo) -> None:
        self.session = session
        self.clock = clock
        self.zone = zone

    def today(self) -> date:
        return local_date(self.clock.now(), self.zone)

    def day(self, day: date) -> tuple[datetime, datetime]:
        """The moments at which a local day begins and ends."""
        start = datetime.combine(day, time(), self.zone)
        return start.astimezone(UTC), datetime.combine(day + timedelta(days=1), time(), self.zone).astimezone(UTC)

    def make(self, wanted: MakeSchedule) -> list[Schedule]:
        """Make a schedule for each chosen weekday of the period, with its slots. All or nothing."""
        scope = scope_of(self.session)
        if wanted.date_to < wanted.date_from:
            raise errors.PeriodReversed()
        if wanted.date_from < self.today():
            raise errors.SchedulePastDay()
        if wanted.end_time <= wanted.start_time:
            raise errors.ScheduleEndsBeforeStart()
        last = wanted.date_to
        if last - wanted.date_from > timedelta(days=LONGEST_DAYS):
            raise errors.PeriodTooLong(days=LONGEST_DAYS)
        role = repository.role(self.session, wanted.practitioner_role_id)
        if role is None or role.organisation_id not in scope.organisation_ids:
            raise errors.NoRole()
        made: list[Schedule] = []
        day = wanted.date_from
        while day <= last:
            if day.isoweekday() in wanted.weekdays:
                if role.valid_from > day or (role.valid_to is not None and role.valid_to <= day):
                    raise errors.NoRole()
                schedule = Schedule(
                    owner_organisation_id=role.organisation_id,
                    practitioner_role_id=role.id,
                    practitioner_id=role.practitioner_id,
                    department_id=role.department_id,
                    room_id=wanted.room_id,
                    starts_at=datetime.combine(day, wanted.start_time, self.zone),
                    ends_at=datetime.combine(day, wanted.end_time, self.zone),
                    slot_minutes=wanted.slot_minutes,
                )
                self._add([schedule])
                self._add(self._cut(schedule, wanted.capacity))
                made.append(schedule)
            day += timedelta(days=1)
        audit(
            self.session, "schedule.made", object_table="practitioner_role", object_id=role.id,
            organisation_id=role.organisation_id, detail={"days": len(made)},
        )  # fmt: skip
        return made

    @staticmethod
    def _cut(schedule: Schedule, capacity: int) -> list[Slot]:
        """Whole slots only: a rest shorter than a slot is left out."""
        length = timedelta(minutes=schedule.slot_minutes)
        slots = []
        start = schedule.starts_at
        while start + length <= schedule.ends_at:
            slots.append(
                Slot(
                    owner_organisation_id=schedule.owner_organisation_id,
                    schedule_id=schedule.id,
                    practitioner_id=schedule.practitioner_id,
                    room_id=schedule.room_id,
                    starts_at=start,
                    ends_at=start + length,
                    capacity=capacity,
                )
            )
            start += length
        return slots

    def block(self, slot_id: int, *, restore: bool = False) -> Slot:
        """Take a slot without bookings out of booking, or give it back."""
        slot = repository.slot(self.session, slot_id, lock=True)
        if slot is None or slot.owner_organisation_id not in scope_of(self.session).organisation_ids:
            raise NotFound()
        if not restore and repository.taken_seats(self.session, slot_id):
            raise errors.SlotHasBookings()
        slot.blocked_at = None if restore else self.clock.now()
        self.session.flush()
        return slot

    def book(self, wanted: Book) -> Appointment:
        """Book one seat. Raises SlotAlreadyTaken or PatientBusy; the database decides between two at once."""
        scope = scope_of(self.session)
        slot = repository.slot(self.session, wanted.slot_id)
        if slot is None or slot.owner_organisation_id not in scope.organisation_ids:
            raise NotFound("slot_id")
        if slot.cancelled_at is not None or slot.blocked_at is not None:
            raise errors.SlotAlreadyTaken()
        if slot.starts_at < self.clock.now() - GRACE:
            raise errors.SlotPassed()
        patient = repository.patient(self.session, wanted.patient_id)
        if patient is None or patient.voided_at is not None:
            raise NotFound("patient_id")
        if patient.death_date is not None:
            raise errors.PatientDied()
        for field in ("booking_channel", "financing_source"):
            known = {value.code for value in repository.coded_values(self.session, field)}
            if known and getattr(wanted, field) not in known:
                raise errors.UnknownCode(field)
        schedule = repository.schedule(self.session, slot.schedule_id)
        if schedule is None:
            raise NotFound("slot_id")
        taken = repository.taken_seats(self.session, slot.id)
        seats = [seat for seat in range(1, slot.capacity + 1) if seat not in taken]
        for seat in seats:
            key = self._insert(
                {
                    **wanted.model_dump(),
                    "owner_organisation_id": slot.owner_organisation_id,
                    "slot_capacity": slot.capacity,
                    "seat": seat,
                    "practitioner_id": schedule.practitioner_id,
                    "practitioner_role_id": schedule.practitioner_role_id,
                    "department_id": schedule.department_id,
                    "room_id": slot.room_id,
                    "starts_at": slot.starts_at,
                    "ends_at": slot.ends_at,
                    "booked_at": self.clock.now(),
                    "booked_by": scope.user_id,
                }
            )
            if key is not None:
                booked = repository.appointment(self.session, key)
                if booked is None:
                    raise NotFound()
                return booked
            if repository.patient_busy(
                self.session, slot.owner_organisation_id, patient.id, slot.starts_at, slot.ends_at
            ):
                raise errors.PatientBusy()
        raise errors.SlotAlreadyTaken()

    def arrive(self, key: int) -> Appointment:
        """The patient has come."""
        row = self._open(key)
        row.status, row.arrived_at = "arrived", self.clock.now()
        self._flush()
        return row

    def no_show(self, key: int) -> Appointment:
        """The patient has not come."""
        row = self._open(key)
        row.status = "noshow"
        self.session.flush()
        return row

    def back_to_booked(self, key: int) -> Appointment:
        """Undo an arrival or a no-show."""
        row = repository.appointment(self.session, key, lock=True)
        if row is None:
            raise NotFound()
        if row.status not in ("arrived", "noshow"):
            raise errors.BookingClosed()
        row.status, row.arrived_at = "booked", None
        self._flush()
        return row

    def cancel(self, key: int, reason: str) -> Appointment:
        """Cancel with a reason of the directory; the seat is free at once."""
        known = {value.code for value in repository.coded_values(self.session, "cancel_reason")}
        if not reason or (known and reason not in known):
            raise errors.CancelReasonNeeded()
        row = self._open(key)
        give_reason(self.session, reason)
        row.status, row.cancelled_at, row.cancel_reason = "cancelled", self.clock.now(), reason
        self.session.flush()
        audit(self.session, "appointment.cancelled", object_table="appointment", object_id=key, reason=reason)
        return row

    def _open(self, key: int) -> Appointment:
        row = repository.appointment(self.session, key, lock=True)
        if row is None:
            raise NotFound()
        if row.status in ("fulfilled", "cancelled"):
            raise errors.BookingClosed()
        return row

    def _add(self, rows: Sequence[Schedule | Slot]) -> None:
        self.session.add_all(rows)
        self._flush()

    def _insert(self, values: dict[str, Any]) -> int | None:
        try:
            return repository.insert_booking(self.session, values)
        except IntegrityError as error:
            if constraint_of(error) != "fk_appointment_service_code":
                raise
            raise NotFound("service_code") from None

    def _flush(self) -> None:
        try:
            self.session.flush()
        except IntegrityError as error:
            refusal = REFUSALS.get(constraint_of(error))
            if refusal is None:
                raise
            raise refusal() from None
