"""Screens of schedules and bookings: the week's schedule, booking, the doctor's day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from operational.domains.catalogs.models import CodedValue
from operational.domains.patients.models import Patient
from operational.domains.scheduling import repository
from operational.domains.scheduling.permissions import CanBook, CanManage, CanRead
from operational.domains.scheduling.repository import BookingRow, SlotRow
from operational.domains.scheduling.schemas import Book, MakeSchedule
from operational.domains.scheduling.service import Scheduling
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.formats import parse_date
from operational.web.forms import Form, parse
from operational.web.language import language_of
from operational.web.nav import NavItem, Tile
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)
WEEKDAYS = tuple(range(1, 8))


@dataclass(frozen=True, slots=True)
class DayPage:
    """The bookings of one day, of one doctor or of the organisation."""

    day: date
    today: date
    rows: Sequence[BookingRow]
    mine: bool
    doctors: list[tuple[str, str]]
    doctor: str
    reasons: Sequence[CodedValue]
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class BookPage:
    """Free slots to choose from, for a patient who is known already or chosen here."""

    day: date
    today: date
    patient: Patient | None
    slots: Sequence[SlotRow]
    doctors: list[tuple[str, str]]
    doctor: str
    specialties: list[tuple[str, str]]
    specialty: str
    channels: list[tuple[str, str]]
    financing: list[tuple[str, str]]
    values: dict[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """The slots of a day, and the form that makes new schedules."""

    day: date
    today: date
    slots: Sequence[SlotRow]
    roles: list[tuple[str, str]]
    rooms: list[tuple[str, str]]
    weekdays: tuple[int, ...]
    chosen: list[str]
    values: dict[str, str]
    errors: dict[str, str]


def service(request: Request, db: Db) -> Scheduling:
    return Scheduling(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[Scheduling, Depends(service)]


def _day(request: Request, scheduling: Scheduling) -> date:
    """The day of the address, or today."""
    typed = request.query_params.get("day", "")
    try:
        parsed = parse_date(typed) if typed else None
    except ValueError:
        parsed = None
    return parsed if isinstance(parsed, date) else scheduling.today()


def _doctors(db: Session, viewer: Viewer, day: date, language: str) -> list[tuple[str, str]]:
    seen: dict[str, str] = {}
    for _, person, department in repository.roles(db, viewer.organisation_ids, day):
        name = " ".join(filter(None, (person.surname, person.given_name, person.patronymic)))
        unit = department.name_kk if language == "kk" else department.name_ru
        seen.setdefault(str(person.id), f"{name} · {unit}")
    return list(seen.items())


def _options(db: Session, directory: str, language: str) -> list[tuple[str, str]]:
    return [
        (row.code, row.name_kk if language == "kk" else row.name_ru) for row in repository.coded_values(db, directory)
    ]


@router.get("/day", response_class=HTMLResponse)
def day_list(request: Request, viewer: CanRead, db: Db, scheduling: Service) -> HTMLResponse:
    """The doctor's list of the day; for others the organisation's, narrowed to a doctor on demand."""
    day = _day(request, scheduling)
    chosen = request.query_params.get("doctor", "")
    mine = viewer.practitioner_id is not None and not chosen and viewer.can("encounters.write")
    practitioner = viewer.practitioner_id if mine else int(chosen) if chosen.isdecimal() else None
    start, end = scheduling.day(day)
    rows = repository.bookings(db, viewer.organisation_ids, start, end, practitioner_id=practitioner)
    counts = {name: sum(row.appointment.status == name for row in rows) for name in
              ("booked", "arrived", "fulfilled", "noshow", "cancelled")}  # fmt: skip
    page = DayPage(
        day, scheduling.today(), rows, mine, _doctors(db, viewer, day, language_of(request)), chosen,
        repository.coded_values(db, "cancel_reason"), counts,
    )  # fmt: skip
    return render(request, "scheduling/day.html", page)


def _book_page(request: Request, db: Session, viewer: Viewer, scheduling: Scheduling) -> BookPage:
    day = _day(request, scheduling)
    doctor = request.query_params.get("doctor", "")
    specialty = request.query_params.get("specialty", "")
    known = request.query_params.get("patient", "")
    patient = repository.patient(db, int(known)) if known.isdecimal() else None
    if known and patient is None:
        raise NotFound()
    start, end = scheduling.day(day)
    language = language_of(request)
    return BookPage(
        day=day,
        today=scheduling.today(),
        patient=patient,
        slots=repository.slots(
            db, viewer.organisation_ids, max(start, scheduling.clock.now()) if day == scheduling.today() else start,
            end, practitioner_id=int(doctor) if doctor.isdecimal() else None, specialty=specialty or None,
            only_free=True,
        ),
        doctors=_doctors(db, viewer, day, language),
        doctor=doctor,
        specialties=_options(db, "specialty", language),
        specialty=specialty,
        channels=_options(db, "booking_channel", language),
        financing=_options(db, "financing_source", language),
        values={},
        errors={},
    )  # fmt: skip


@router.get("/book", response_class=HTMLResponse)
def book_page(request: Request, viewer: CanBook, db: Db, scheduling: Service) -> HTMLResponse:
    return render(
        request, "scheduling/book.html", _book_page(request, db, viewer, scheduling), partial="scheduling/_slots.html"
    )


@router.post("/book")
def book(request: Request, viewer: CanBook, db: Db, scheduling: Service, form: Form) -> Response:
    rerender_on_error(request, "scheduling/book.html", _book_page(request, db, viewer, scheduling))
    row = scheduling.book(parse(Book, form))
    day = row.starts_at.astimezone(scheduling.zone).date()
    return see_other(
        request, f"/day?day={day:%d.%m.%Y}&doctor={row.practitioner_id}",
        Flash("scheduling.booked", undo_url=f"/appointments/{row.id}/undo-booking"),
    )  # fmt: skip


@router.post("/appointments/{key}/undo-booking")
def undo_booking(request: Request, viewer: CanBook, scheduling: Service, key: int) -> Response:
    scheduling.cancel(key, "booked_by_mistake")
    return see_other(request, "/day", Flash("scheduling.cancelled", "info"))


@router.post("/appointments/{key}/arrive")
def arrive(request: Request, viewer: CanBook, scheduling: Service, key: int) -> Response:
    row = scheduling.arrive(key)
    return _back(request, scheduling, row.starts_at, "scheduling.arrived", f"/appointments/{key}/back")


@router.post("/appointments/{key}/no-show")
def no_show(request: Request, viewer: CanBook, scheduling: Service, key: int) -> Response:
    row = scheduling.no_show(key)
    return _back(request, scheduling, row.starts_at, "scheduling.marked_no_show", f"/appointments/{key}/back")


@router.post("/appointments/{key}/back")
def back(request: Request, viewer: CanBook, scheduling: Service, key: int) -> Response:
    return _back(request, scheduling, scheduling.back_to_booked(key).starts_at, "scheduling.back", None)


@router.post("/appointments/{key}/cancel")
def cancel(request: Request, viewer: CanBook, scheduling: Service, form: Form, key: int) -> Response:
    row = scheduling.cancel(key, form.get("cancel_reason", ""))
    return _back(request, scheduling, row.starts_at, "scheduling.cancelled", None)


def _back(request: Request, scheduling: Scheduling, starts_at: Any, text: str, undo: str | None) -> Response:
    day = starts_at.astimezone(scheduling.zone).date()
    return see_other(request, f"/day?day={day:%d.%m.%Y}", Flash(text, undo_url=undo))


def _schedule_page(
    request: Request, db: Session, viewer: Viewer, scheduling: Scheduling, values: dict[str, str], chosen: list[str]
) -> SchedulePage:
    day = _day(request, scheduling)
    start, end = scheduling.day(day)
    language = language_of(request)
    return SchedulePage(
        day=day,
        today=scheduling.today(),
        slots=repository.slots(db, viewer.organisation_ids, start, end),
        roles=[
            (
                str(role.id),
                f"{person.surname} {person.given_name} · {unit.name_kk if language == 'kk' else unit.name_ru}",
            )
            for role, person, unit in repository.roles(db, viewer.organisation_ids, day)
        ],
        rooms=[
            (str(room.id), f"{room.code} · {room.name_kk if language == 'kk' else room.name_ru}")
            for room in repository.rooms(db, viewer.organisation_ids)
        ],
        weekdays=WEEKDAYS,
        chosen=chosen,
        values=values,
        errors={},
    )


@router.get("/schedules", response_class=HTMLResponse)
def schedules(request: Request, viewer: CanManage, db: Db, scheduling: Service) -> HTMLResponse:
    page = _schedule_page(request, db, viewer, scheduling, {}, ["1", "2", "3", "4", "5"])
    return render(request, "scheduling/schedules.html", page)


@router.post("/schedules")
def make(request: Request, viewer: CanManage, db: Db, scheduling: Service, form: Form) -> Response:
    days = form.lists.get("weekdays", [])
    rerender_on_error(
        request, "scheduling/schedules.html", _schedule_page(request, db, viewer, scheduling, dict(form), days)
    )
    made = scheduling.make(parse(MakeSchedule, form, weekdays=days))
    first = made[0].starts_at.astimezone(scheduling.zone).date() if made else scheduling.today()
    return see_other(
        request, f"/schedules?day={first + timedelta(0):%d.%m.%Y}",
        Flash("scheduling.made", params={"days": len(made)}),
    )  # fmt: skip


@router.post("/slots/{key}/{act}")
def block(request: Request, viewer: CanManage, scheduling: Service, key: int, act: str) -> Response:
    slot = scheduling.block(key, restore=act == "restore")
    day = slot.starts_at.astimezone(scheduling.zone).date()
    undo = None if act == "restore" else f"/slots/{key}/restore"
    text = "scheduling.unblocked" if act == "restore" else "scheduling.blocked"
    return see_other(request, f"/schedules?day={day:%d.%m.%Y}", Flash(text, "info", undo_url=undo))


NAV = [
    NavItem("scheduling.nav_day", "/day", "scheduling.read", icon="calendar", order=10, shortcut="d"),
    NavItem("scheduling.nav_book", "/book", "scheduling.book", icon="clock", order=25, shortcut="b"),
    NavItem("scheduling.nav_schedules", "/schedules", "scheduling.manage", icon="calendar", order=40, shortcut="s"),
]
TILES = [
    Tile("scheduling.nav_day", "/day", "scheduling.read", icon="calendar", order=10, hint_key="scheduling.tile_day"),
    Tile("scheduling.nav_book", "/book", "scheduling.book", icon="clock", order=25, hint_key="scheduling.tile_book"),
]
