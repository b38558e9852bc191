"""Screens of home calls: the journal of the day, registration, the call itself, the call sheet of a doctor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from kmis.clock import local_date
from operational.domains.home_visits import repository, views
from operational.domains.home_visits.models import HomeCall
from operational.domains.home_visits.permissions import CanPerform, CanRead, CanRegister
from operational.domains.home_visits.repository import Wanted
from operational.domains.home_visits.schemas import EditCall, PerformCall, RegisterCall
from operational.domains.home_visits.service import HomeCalls
from operational.domains.home_visits.views import CallForm, CallPage, ChoosePage, JournalPage, SheetPage
from operational.domains.patients.search import read_criteria
from operational.domains.patients.views import card_head
from operational.kit.errors import Forbidden, NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.formats import format_moment, parse_date
from operational.web.forms import Form, FormValues, parse
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery
from operational.web.nav import NavItem, Tile
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)
SORTS = ("due", "called", "patient", "urgency")
COLUMNS = (
    Column("home_visits.column.due", sort="due"),
    Column("home_visits.column.patient", sort="patient"),
    Column("home_visits.column.complaint"),
    Column("home_visits.column.address", narrow=True),
    Column("home_visits.column.who"),
    Column("home_visits.column.state"),
    Column("home_visits.column.called", sort="called", narrow=True),
    Column("home_visits.column.urgency", sort="urgency", narrow=True),
)


def service(request: Request, db: Db) -> HomeCalls:
    return HomeCalls(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[HomeCalls, Depends(service)]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 18 else None


def _today(calls: HomeCalls) -> date:
    return local_date(calls.clock.now(), calls.zone)


def _day(typed: str, calls: HomeCalls) -> date:
    """The typed day, or today."""
    try:
        return parse_date(typed) or _today(calls)
    except ValueError:
        return _today(calls)


@router.get("/home-calls", response_class=HTMLResponse)
@router.post("/home-calls", response_class=HTMLResponse)
def journal(request: Request, viewer: CanRead, db: Db, query: ListQuery, calls: Service) -> HTMLResponse:
    """The calls that came or are due on a day; today also those that are overdue."""
    asked, language, today = query.filters, language_of(request), _today(calls)
    day = _day(asked.get("day", request.query_params.get("day", "")), calls)
    start, end = views.bounds(day, calls.zone)
    wanted = Wanted(
        start=start, end=end, now=calls.clock.now(), today_flag=day == today, status=asked.get("status", ""),
        site_id=_number(asked.get("site")), practitioner_id=_number(asked.get("practitioner")),
        kind=asked.get("kind", ""), urgency=asked.get("urgency", ""), overdue_flag=asked.get("overdue") == "1",
        criteria=read_criteria(query.query, today),
    )  # fmt: skip
    settled = query.settled(SORTS)
    rows, total = repository.journal(
        db, wanted, sort=settled.sort, descending=query.descending, offset=query.offset, limit=query.size
    )
    page = JournalPage(
        COLUMNS, ListPage(rows, total, settled), day, calls.clock.now(), views.sites(db, viewer, day, language),
        views.staff(db, viewer, day, language), wanted.practitioner_id or viewer.practitioner_id,
    )  # fmt: skip
    return render(request, "home_visits/journal.html", page)


@router.get("/home-calls/sheet", response_class=HTMLResponse)
def sheet(
    request: Request, viewer: CanRead, db: Db, calls: Service, day: str = "", practitioner: str = ""
) -> HTMLResponse:
    """The call sheet of a practitioner's day, on A4, urgent calls first."""
    chosen, asked = _number(practitioner) or viewer.practitioner_id, _day(day, calls)
    start, end = views.bounds(asked, calls.zone)
    page = SheetPage(
        day=asked,
        practitioner=repository.practitioner(db, chosen) if chosen else None,
        practitioner_id=chosen,
        staff=views.staff(db, viewer, asked, language_of(request)),
        rows=repository.sheet(db, chosen, start, end, today_flag=asked == _today(calls)) if chosen else [],
    )
    return render(request, "home_visits/sheet.html", page)


@router.post("/home-calls/choose")
def choose(request: Request, viewer: CanRegister, db: Db, form: Form) -> Response:
    """The chosen patient's call; the key alone stands in the address."""
    rerender_on_error(request, "home_visits/choose.html", ChoosePage(form, {}))
    patient_id = _number(form.get("patient_id"))
    if patient_id is None or repository.patient(db, patient_id) is None:
        raise NotFound("patient_id")
    return see_other(request, f"/home-calls/new?patient={patient_id}")


def _form(
    request: Request, db: Session, viewer: Viewer, calls: HomeCalls, patient_id: int | None,
    values: Mapping[str, str] | None, call: HomeCall | None = None,
) -> CallForm:  # fmt: skip
    if patient_id is None or repository.patient(db, patient_id) is None:
        raise NotFound("patient_id")
    language, today = language_of(request), _today(calls)
    head = card_head(db, patient_id, request, language)
    proposed = repository.proposal(db, head.patient.id, viewer.organisation_ids, today)
    if values is None:
        values = {
            "called_at": format_moment(calls.clock.now(), request.app.state.settings.timezone),
            "address": head.patient.address or "", "phone": head.patient.phone or "",
            "site_id": str(proposed.site_id) if proposed else "",
            "practitioner_id": str(proposed.practitioner_id or "") if proposed else "",
        }  # fmt: skip
    return CallForm(
        head, call, proposed is not None, views.sites(db, viewer, today, language),
        views.staff(db, viewer, today, language), values, {},
    )  # fmt: skip


@router.get("/home-calls/new", response_class=HTMLResponse)
def new(request: Request, viewer: CanRegister, db: Db, calls: Service, patient: str = "") -> HTMLResponse:
    """The form of a call of a patient; without one, the choice of a patient."""
    if not patient:
        return render(request, "home_visits/choose.html", ChoosePage({}, {}))
    return render(request, "home_visits/form.html", _form(request, db, viewer, calls, _number(patient), None))


@router.post("/home-calls/new", response_class=HTMLResponse)
def register(request: Request, viewer: CanRegister, db: Db, calls: Service, form: Form) -> Response:
    """Register a call or an active."""
    page = _form(request, db, viewer, calls, _number(form.get("patient_id")), form)
    rerender_on_error(request, "home_visits/form.html", page)
    call = calls.register(parse(RegisterCall, form))
    return see_other(request, f"/home-calls/{call.id}", Flash("home_visits.registered"))


def _page(request: Request, db: Session, viewer: Viewer, key: int, values: Mapping[str, str] | None = None) -> CallPage:
    row = repository.row(db, key)
    if row is None:
        raise NotFound()
    calls = HomeCalls(db, request.app.state.clock, request.app.state.settings.zone)
    zone = request.app.state.settings.timezone
    call, now = row.call, calls.clock.now()
    visits = repository.visits_at_home(db, call.patient_id, call.called_at - timedelta(hours=1))
    return CallPage(
        row=row,
        head=card_head(db, call.patient_id, request, language_of(request)),
        state=views.state_of(call),
        overdue_flag=call.status in repository.OPEN and call.voided_at is None and call.due_at < now,
        staff=views.staff(db, viewer, _today(calls), language_of(request)),
        visits=[
            (str(visit.id), f"{format_moment(visit.started_at, zone)} · {views.person(who)}") for visit, who in visits
        ],
        values={"performed_at": format_moment(now, zone)} if values is None else values,
        errors={},
    )


def _act(request: Request, db: Session, viewer: Viewer, key: int, form: FormValues) -> None:
    """A refusal shows the call again, with the message."""
    rerender_on_error(request, "home_visits/call.html", _page(request, db, viewer, key, form))


def _back(request: Request, key: int, text_key: str, tone: str = "ok") -> Response:
    return see_other(request, f"/home-calls/{key}", Flash(text_key=text_key, tone=tone))


@router.get("/home-calls/{key:int}", response_class=HTMLResponse)
def show(request: Request, viewer: CanRead, db: Db, key: int) -> HTMLResponse:
    """One call."""
    return render(request, "home_visits/call.html", _page(request, db, viewer, key))


@router.get("/home-calls/{key:int}/edit", response_class=HTMLResponse)
def edit(request: Request, viewer: CanRegister, db: Db, calls: Service, key: int) -> HTMLResponse:
    """The correction form of a call."""
    call = calls.get(key)
    values = views.values_of(call, request.app.state.settings.timezone)
    return render(request, "home_visits/form.html", _form(request, db, viewer, calls, call.patient_id, values, call))


@router.post("/home-calls/{key:int}/edit", response_class=HTMLResponse)
def save(request: Request, viewer: CanRegister, db: Db, calls: Service, form: Form, key: int) -> Response:
    """Correct an open call."""
    call = calls.get(key)
    rerender_on_error(
        request, "home_visits/form.html", _form(request, db, viewer, calls, call.patient_id, form, call)
    )  # fmt: skip
    calls.edit(key, parse(EditCall, form))
    return _back(request, key, "home_visits.saved")


@router.post("/home-calls/{key:int}/assign", response_class=HTMLResponse)
def assign(request: Request, viewer: CanRegister, db: Db, calls: Service, form: Form, key: int) -> Response:
    """Hand the call over to somebody."""
    _act(request, db, viewer, key, form)
    calls.assign(key, _number(form.get("practitioner_id")))
    return _back(request, key, "home_visits.assigned")


@router.post("/home-calls/{key:int}/take", response_class=HTMLResponse)
def take(request: Request, viewer: CanPerform, db: Db, calls: Service, form: Form, key: int) -> Response:
    """Take the call on oneself."""
    _act(request, db, viewer, key, form)
    calls.assign(key, viewer.practitioner_id)
    return _back(request, key, "home_visits.assigned")


@router.post("/home-calls/{key:int}/perform", response_class=HTMLResponse)
def perform(request: Request, viewer: CanPerform, db: Db, calls: Service, form: Form, key: int) -> Response:
    """Write down what came of the call."""
    _act(request, db, viewer, key, form)
    calls.perform(key, parse(PerformCall, form))
    return _back(request, key, "home_visits.performed")


@router.post("/home-calls/{key:int}/not-found", response_class=HTMLResponse)
def not_found(request: Request, viewer: CanPerform, db: Db, calls: Service, form: Form, key: int) -> Response:
    """Nobody was at home."""
    _act(request, db, viewer, key, form)
    calls.perform(key, parse(PerformCall, form), found=False)
    return _back(request, key, "home_visits.not_found", "info")


@router.post("/home-calls/{key:int}/cancel", response_class=HTMLResponse)
def cancel(request: Request, viewer: CanRegister, db: Db, calls: Service, form: Form, key: int) -> Response:
    """Cancel the call, with the reason."""
    _act(request, db, viewer, key, form)
    calls.cancel(key, form.get("reason", ""))
    return _back(request, key, "home_visits.cancelled", "info")


@router.post("/home-calls/{key:int}/reopen", response_class=HTMLResponse)
def reopen(request: Request, viewer: CanRead, db: Db, calls: Service, form: Form, key: int) -> Response:
    """Take back that the call was closed; whoever may close it may do so."""
    if not (viewer.can("home_visits.perform") or viewer.can("home_visits.register")):
        raise Forbidden()
    _act(request, db, viewer, key, form)
    calls.reopen(key, form.get("reason", ""))
    return _back(request, key, "home_visits.reopened", "info")


@router.post("/home-calls/{key:int}/void", response_class=HTMLResponse)
def void(request: Request, viewer: CanRegister, db: Db, calls: Service, form: Form, key: int) -> Response:
    """Mark the call as entered in error."""
    _act(request, db, viewer, key, form)
    calls.void(key, form.get("reason", ""))
    return _back(request, key, "home_visits.voided", "info")


@router.post("/home-calls/{key:int}/restore", response_class=HTMLResponse)
def restore(request: Request, viewer: CanRegister, db: Db, calls: Service, form: Form, key: int) -> Response:
    """Take the void back."""
    _act(request, db, viewer, key, form)
    calls.restore(key, form.get("reason", ""))
    return _back(request, key, "home_visits.restored")


def waiting(db: Session, viewer: Viewer) -> int:
    """Calls handed over to the viewer; for those who perform none, the calls that nobody has taken."""
    return repository.count_open(db, viewer.practitioner_id if viewer.can("home_visits.perform") else None)


NAV: list[Any] = [
    NavItem("home_visits.nav", "/home-calls", "home_visits.read", icon="home", order=32, shortcut="c")
]  # fmt: skip
TILES: list[Any] = [
    Tile("home_visits.nav", "/home-calls", "home_visits.read", icon="home", order=32, hint_key="home_visits.tile",
         count=waiting),
]  # fmt: skip
