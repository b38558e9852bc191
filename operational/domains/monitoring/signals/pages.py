"""Screens of signal cases: the lists, one case with what can be done about it, the sheet on paper, the home panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from kmis.clock import local_date
from operational.domains.monitoring.models import SignalEvent
from operational.domains.monitoring.permissions import ALL_SIGNALS, WORK_SIGNALS, CanReadSignals, CanWorkSignals
from operational.domains.monitoring.signals import printing, repository, words
from operational.domains.monitoring.signals.repository import CaseRow
from operational.domains.monitoring.signals.schemas import AskForVisit, Assign, Close, Told, Visited
from operational.domains.monitoring.signals.service import Signals
from operational.domains.monitoring.signals.views import SELECTABLE, Option, language_text, name_of, options_of
from operational.domains.monitoring.signals.words import Language, Words
from operational.domains.organisation.models import OrganisationVersion, Site
from operational.kit.audit import audit
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.formats import parse_date
from operational.web.forms import Form, FormValues, parse
from operational.web.listing import Column, ListPage, ListQuery, ListRequest
from operational.web.nav import NavItem, Panel, Tile
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.viewer import Viewer
from signal_sheets.rules import load_rules

router = APIRouter(include_in_schema=False)
COLUMNS = (
    Column("signals.due", sort="due"),
    Column("signals.patient", sort="patient"),
    Column("signals.rule", sort="rule"),
    Column("signals.event", sort="event", narrow=True),
    Column("signals.answers", narrow=True),
    Column("signals.state", sort="state", narrow=True),
)
URGENT = 5


@dataclass(frozen=True, slots=True)
class ListScreen:
    """A list of cases: mine, the queue, or all."""

    part: str
    parts: Sequence[tuple[str, int, int]]
    columns: Sequence[Column]
    page: ListPage[CaseRow]
    rules: Sequence[Option]
    sites: Sequence[Site]
    states: Sequence[str]
    now: datetime
    title_of: Any
    name_of: Any


@dataclass(frozen=True, slots=True)
class CaseScreen:
    """One case: who, why, what, by when, who answers, what happened, and what can be done."""

    row: CaseRow
    words: Words
    history: Sequence[tuple[SignalEvent, str, str]]
    owner: OrganisationVersion | None
    origin: OrganisationVersion | None
    outcome_text: str
    outcomes: Sequence[Option]
    staff: Sequence[Option]
    now: datetime
    workable: bool
    may_work: bool
    addressed: bool
    act: str
    values: dict[str, str]
    errors: dict[str, str]
    name_of: Any


@dataclass(frozen=True, slots=True)
class UrgentPanel:
    """The most urgent cases of the viewer on the home page."""

    part: str
    rows: Sequence[CaseRow]
    total: int
    overdue: int
    now: datetime
    title_of: Any
    name_of: Any


def service(request: Request, db: Db) -> Signals:
    return Signals(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[Signals, Depends(service)]


def _parts(viewer: Viewer) -> list[str]:
    mine = ["mine"] if viewer.practitioner_id is not None else []
    return [*mine, "queue", *(["all"] if viewer.can(ALL_SIGNALS) else [])]


def _first(viewer: Viewer) -> str:
    """What the viewer looks at first: all cases for whom it is the work, else the own ones."""
    return "all" if viewer.can(ALL_SIGNALS) else _parts(viewer)[0]


@router.get("/signals", response_class=HTMLResponse)
@router.post("/signals", response_class=HTMLResponse)
def signals(request: Request, viewer: CanReadSignals, db: Db, cases: Service, asked: ListQuery) -> HTMLResponse:
    """The list; what is searched for comes by POST."""
    parts = _parts(viewer)
    named = request.query_params.get("part", "")
    part = named if named in parts else _first(viewer)
    now = cases.clock.now()
    asked = asked.settled(repository.SORTS)
    rows, total = repository.cases(
        db, _wanted(viewer, part, asked, cases), sort=asked.sort, descending=asked.descending, limit=asked.size,
        offset=asked.offset,
    )  # fmt: skip
    cases.delivered([row.case for row in rows])
    language = language_text(request)
    page = ListScreen(
        part=part,
        parts=[(name, *repository.counts(db, name, viewer.practitioner_id, now)) for name in parts],
        columns=COLUMNS,
        page=ListPage(rows, total, asked),
        rules=[
            (rule.code, f"{rule.code} · {rule.title.of(language)}") for rule in load_rules() if rule.valid_to is None
        ],
        sites=repository.sites_of_cases(db),
        states=SELECTABLE,
        now=now,
        title_of=lambda code: words.title_of(code, language),
        name_of=lambda patient: name_of(patient, language),
    )
    return render(request, "monitoring/signals.html", page)


def _wanted(viewer: Viewer, part: str, asked: ListRequest, cases: Signals) -> repository.Wanted:
    chosen = asked.filters
    site = chosen.get("site", "")
    return repository.Wanted(
        part=part,
        now=cases.clock.now(),
        practitioner_id=viewer.practitioner_id,
        words=asked.query,
        rule=chosen.get("rule", ""),
        severity=chosen.get("severity", ""),
        state=chosen.get("state", ""),
        overdue_flag="overdue" in chosen,
        site_id=int(site) if site.isdecimal() and len(site) < 18 else None,
        since=_day(chosen.get("from", ""), cases),
        until=_day(chosen.get("to", ""), cases, after=True),
    )


def _day(typed: str, cases: Signals, *, after: bool = False) -> datetime | None:
    """The beginning of a typed day on the organisation's clock, or of the one after it; half a date filters nothing."""
    try:
        day = parse_date(typed)
    except ValueError:
        return None
    return datetime.combine(day + timedelta(days=after), time(), cases.zone) if day else None


def _screen(
    request: Request, db: Session, cases: Signals, viewer: Viewer, key: int, act: str = "",
    values: FormValues | None = None,
) -> CaseScreen:  # fmt: skip
    row = repository.row(db, key)
    if row is None:
        raise NotFound()
    language = language_text(request)
    zone = request.app.state.settings.timezone
    now = cases.clock.now()
    today = local_date(now, cases.zone)
    outcomes = repository.outcomes(db)
    return CaseScreen(
        row=row,
        words=words.words_of(db, row.case, language, zone),
        history=printing.told(db, row.case, language),
        owner=repository.organisation(db, row.case.owner_organisation_id, today),
        origin=repository.organisation(db, row.case.origin_organisation_id, today),
        outcome_text=next((_name(one, language) for one in outcomes if one.code == row.case.outcome), ""),
        outcomes=options_of(outcomes, language),
        staff=[(str(person.id), name_of(person, language)) for person, _ in
               repository.staff(db, row.case.owner_organisation_id, today)],
        now=now,
        workable=cases.workable(row.case),
        may_work=viewer.can(WORK_SIGNALS),
        addressed=cases.addressed(row.case),
        act=act,
        values=dict(values or {}),
        errors={},
        name_of=lambda person: name_of(person, language),
    )  # fmt: skip


def _name(row: Any, language: Language) -> str:
    return str(row.name_kk if language == "kk" else row.name_ru)


@router.get("/signals/{key}", response_class=HTMLResponse)
def show(request: Request, viewer: CanReadSignals, db: Db, cases: Service, key: int) -> HTMLResponse:
    cases.show(key)
    return render(request, "monitoring/signal.html", _screen(request, db, cases, viewer, key))


@router.get("/signals/{key}/sheet")
def sheet(request: Request, viewer: CanReadSignals, db: Db, cases: Service, key: int) -> Response:
    """The sheet on one A4 page. The file's name says nothing of the person."""
    cases.get(key)
    content = printing.pdf_of_case(
        db, key, language_text(request), request.app.state.settings.timezone, cases.clock.now(), viewer.display_name
    )
    audit(db, "signal.printed", object_table="signal_case", object_id=key)
    headers = {"Content-Disposition": f'inline; filename="signal-{key}.pdf"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


def _prepare(
    request: Request, db: Session, cases: Signals, viewer: Viewer, key: int, act: str, form: FormValues
) -> None:
    """Name the page that shows a refusal, with the form of the act open."""
    page = _screen(request, db, cases, viewer, key, act, form)
    rerender_on_error(request, "monitoring/signal.html", page)


def _back(request: Request, key: int, text_key: str) -> Response:
    return see_other(request, f"/signals/{key}", Flash(text_key))


@router.post("/signals/{key}/contacted")
def contacted(request: Request, viewer: CanWorkSignals, db: Db, cases: Service, form: Form, key: int) -> Response:
    _prepare(request, db, cases, viewer, key, "contacted", form)
    cases.contacted(key, parse(Told, form).note)
    return _back(request, key, "signals.contacted_ok")


@router.post("/signals/{key}/visited")
def visited(request: Request, viewer: CanWorkSignals, db: Db, cases: Service, form: Form, key: int) -> Response:
    _prepare(request, db, cases, viewer, key, "visited", form)
    cases.visited(key, parse(Visited, form))
    return _back(request, key, "signals.visited_ok")


@router.post("/signals/{key}/note")
def note(request: Request, viewer: CanWorkSignals, db: Db, cases: Service, form: Form, key: int) -> Response:
    _prepare(request, db, cases, viewer, key, "note", form)
    cases.noted(key, parse(Told, form).note)
    return _back(request, key, "signals.noted_ok")


@router.post("/signals/{key}/take")
def take(request: Request, viewer: CanWorkSignals, db: Db, cases: Service, form: Form, key: int) -> Response:
    _prepare(request, db, cases, viewer, key, "take", form)
    cases.take(key)
    return _back(request, key, "signals.taken_ok")


@router.post("/signals/{key}/assign")
def assign(request: Request, viewer: CanWorkSignals, db: Db, cases: Service, form: Form, key: int) -> Response:
    _prepare(request, db, cases, viewer, key, "assign", form)
    cases.assign(key, parse(Assign, form).practitioner_id)
    return _back(request, key, "signals.assigned_ok")


@router.post("/signals/{key}/active")
def active(request: Request, viewer: CanWorkSignals, db: Db, cases: Service, form: Form, key: int) -> Response:
    """Ask for a visit at home; the active then stands in the sheet of home calls."""
    _prepare(request, db, cases, viewer, key, "active", form)
    case = cases.get(key)
    cases.ask_for_visit(key, parse(AskForVisit, form), words.title_of(case.rule_code, language_text(request)))
    return _back(request, key, "signals.active_ok")


@router.post("/signals/{key}/close")
def close(request: Request, viewer: CanWorkSignals, db: Db, cases: Service, form: Form, key: int) -> Response:
    _prepare(request, db, cases, viewer, key, "close", form)
    cases.close(key, parse(Close, form))
    return _back(request, key, "signals.closed_ok")


@router.post("/signals/{key}/reopen")
def reopen(request: Request, viewer: CanWorkSignals, db: Db, cases: Service, form: Form, key: int) -> Response:
    _prepare(request, db, cases, viewer, key, "reopen", form)
    cases.reopen(key, form.get("reason", ""))
    return _back(request, key, "signals.reopened_ok")


def waiting(db: Session, viewer: Viewer) -> int:
    """Open cases of the viewer's first list."""
    return repository.count_open(db, _first(viewer), viewer.practitioner_id)


def urgent(request: Request, db: Session, viewer: Viewer) -> UrgentPanel | None:
    """The cases that are due first, of the viewer's first list; nothing where none is open."""
    now = request.app.state.clock.now()
    part = _first(viewer)
    wanted = repository.Wanted(part=part, now=now, practitioner_id=viewer.practitioner_id)
    rows, total = repository.cases(db, wanted, sort="due", descending=False, limit=URGENT, offset=0)
    if not rows:
        return None
    Signals(db, request.app.state.clock, request.app.state.settings.zone).delivered([row.case for row in rows])
    overdue = repository.counts(db, part, viewer.practitioner_id, now)[1]
    language = language_text(request)
    return UrgentPanel(
        part, rows, total, overdue, now, lambda code: words.title_of(code, language),
        lambda patient: name_of(patient, language),
    )  # fmt: skip


NAV: list[Any] = [NavItem("signals.nav", "/signals", "signals.read", icon="warning", order=15, shortcut="n")]
TILES: list[Any] = [
    Tile("signals.nav", "/signals", "signals.read", icon="warning", order=3, hint_key="signals.tile_hint",
         count=waiting),
]  # fmt: skip
PANELS: list[Any] = [Panel("monitoring/_urgent.html", "signals.read", urgent, order=1)]
