"""Schedules and bookings for programs."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from operational.domains.scheduling import repository
from operational.domains.scheduling.permissions import CanBook, CanManage, CanRead
from operational.domains.scheduling.schemas import AppointmentOut, Book, Cancel, MakeSchedule, SlotOut
from operational.domains.scheduling.service import Scheduling
from operational.web.database import Db

router = APIRouter(prefix="/api", tags=["scheduling"])


def service(request: Request, db: Db) -> Scheduling:
    return Scheduling(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[Scheduling, Depends(service)]


@router.post("/schedules", status_code=201)
def make_schedule(viewer: CanManage, scheduling: Service, wanted: MakeSchedule) -> list[int]:
    """Make schedules with their slots; the answer holds their keys."""
    return [row.id for row in scheduling.make(wanted)]


@router.get("/slots")
def free_slots(
    viewer: CanRead, db: Db, scheduling: Service, day: date, practitioner_id: int | None = None,
    specialty: str | None = None,
) -> list[SlotOut]:  # fmt: skip
    """Free slots of a local day."""
    start, end = scheduling.day(day)
    rows = repository.slots(
        db, viewer.organisation_ids, start, end, practitioner_id=practitioner_id, specialty=specialty, only_free=True
    )
    return [
        SlotOut(
            id=row.slot.id, practitioner_id=row.practitioner.id, starts_at=row.slot.starts_at,
            ends_at=row.slot.ends_at, free=row.free,
        )
        for row in rows
    ]  # fmt: skip


@router.post("/appointments", status_code=201)
def book(viewer: CanBook, scheduling: Service, wanted: Book) -> AppointmentOut:
    """Book one seat of a slot."""
    return AppointmentOut.model_validate(scheduling.book(wanted))


@router.post("/appointments/{key}/arrive")
def arrive(viewer: CanBook, scheduling: Service, key: int) -> AppointmentOut:
    """The patient has come."""
    return AppointmentOut.model_validate(scheduling.arrive(key))


@router.post("/appointments/{key}/no-show")
def no_show(viewer: CanBook, scheduling: Service, key: int) -> AppointmentOut:
    """The patient has not come."""
    return AppointmentOut.model_validate(scheduling.no_show(key))


@router.post("/appointments/{key}/cancel")
def cancel(viewer: CanBook, scheduling: Service, key: int, wanted: Cancel) -> AppointmentOut:
    """Cancel with a reason."""
    return AppointmentOut.model_validate(scheduling.cancel(key, wanted.cancel_reason))
