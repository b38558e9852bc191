"""Screens of the inbox: what devices delivered and nobody could match, matching by hand, taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from kmis.clock import local_date
from operational.domains.orders import receiving, receiving_errors, receiving_studies, views
from operational.domains.orders import repository as orders
from operational.domains.orders.inbox import repository, service
from operational.domains.orders.models import Device, DeviceMessage, DiagnosticOrder, ImagingStudy
from operational.domains.orders.permissions import CanReadInbox, CanResolve
from operational.domains.patients import repository as patients
from operational.domains.patients.models import Patient
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form, FormValues
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery, ListRequest
from operational.web.nav import NavItem, Tile
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)
COLUMNS = (
    Column("inbox.column.received"),
    Column("inbox.column.device", narrow=True),
    Column("inbox.column.person"),
    Column("inbox.column.what", narrow=True),
    Column("inbox.column.problem"),
)
TABS = ("studies", "messages", "quarantine", "done")
SETTLED = 100


@dataclass(frozen=True, slots=True)
class InboxLine:
    """Something in the inbox, as a line."""

    url: str
    received_at: Any
    device: str
    said: service.Stated
    what: str
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class InboxPage:
    """One tab of the inbox."""

    tab: str
    tabs: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    page: ListPage[InboxLine]


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One study or message: what it says, who it may be, what can be done with it."""

    kind: str
    base: str
    study: ImagingStudy | None
    message: DeviceMessage | None
    said: service.Stated
    device: Device | None
    state: str
    tone: str
    candidates: Sequence[service.Candidate]
    chosen: Patient | None
    chosen_name: str
    chosen_orders: Sequence[tuple[int, str]]
    chosen_order: str
    matched: Patient | None
    matched_order: DiagnosticOrder | None
    values: Sequence[tuple[str, str, str]]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class RawPage:
    """The segments of a raw message."""

    message: DeviceMessage
    segments: Sequence[str]


def _line(row: ImagingStudy | DeviceMessage, devices: dict[int, Device], kazakh: bool) -> InboxLine:
    device = devices.get(row.device_id or 0)
    study = isinstance(row, ImagingStudy)
    state, tone = state_of(row)
    what = " · ".join(
        part
        for part in ((row.modality, row.description) if isinstance(row, ImagingStudy) else (row.protocol.upper(),))
        if part
    )
    return InboxLine(
        f"/inbox/{'studies' if study else 'messages'}/{row.id}",
        row.received_at,
        (device.name_kk if kazakh else device.name_ru) if device else "—",
        service.stated_of(row), what, state, tone,
    )  # fmt: skip


def state_of(row: ImagingStudy | DeviceMessage) -> tuple[str, str]:
    """The state of a thing in the inbox, and its tone."""
    if isinstance(row, DeviceMessage):
        tones = {"unmatched": "warning", "quarantined": "danger", "matched": "ok", "resolved": "neutral"}
        return row.status, tones.get(row.status, "info")
    if row.voided_at is not None:
        return "resolved", "neutral"
    return ("matched", "ok") if row.patient_id is not None else ("unmatched", "warning")


def _tab(request: Request, db: Session, tab: str, query: ListRequest) -> HTMLResponse:
    rows: list[ImagingStudy | DeviceMessage] = []
    if tab == "studies":
        studies, total = repository.inbox_studies(db, query.query, offset=query.offset, limit=query.size)
        rows += studies
    elif tab == "done":
        settled: list[ImagingStudy | DeviceMessage] = [*repository.settled_studies(db, SETTLED)]
        settled += repository.settled_messages(db, SETTLED)
        settled.sort(key=lambda row: row.received_at, reverse=True)
        total = len(settled)
        rows += settled[query.offset : query.offset + query.size]
    else:
        status = "unmatched" if tab == "messages" else "quarantined"
        messages, total = repository.inbox_messages(db, status, query.query, offset=query.offset, limit=query.size)
        rows += messages
    devices = repository.device_names(db, {row.device_id for row in rows if row.device_id is not None})
    lines = [_line(row, devices, language_of(request) == "kk") for row in rows]
    tabs = [(f"inbox.tab.{name}", "/inbox" if name == "studies" else f"/inbox/{name}") for name in TABS]
    return render(request, "orders/inbox.html", InboxPage(tab, tabs, COLUMNS, ListPage(lines, total, query)))


@router.get("/inbox", response_class=HTMLResponse)
@router.post("/inbox", response_class=HTMLResponse)
def studies(request: Request, viewer: CanReadInbox, db: Db, query: ListQuery) -> HTMLResponse:
    return _tab(request, db, "studies", query)


@router.get("/inbox/messages", response_class=HTMLResponse)
@router.post("/inbox/messages", response_class=HTMLResponse)
def messages(request: Request, viewer: CanReadInbox, db: Db, query: ListQuery) -> HTMLResponse:
    return _tab(request, db, "messages", query)


@router.get("/inbox/quarantine", response_class=HTMLResponse)
@router.post("/inbox/quarantine", response_class=HTMLResponse)
def quarantine(request: Request, viewer: CanReadInbox, db: Db, query: ListQuery) -> HTMLResponse:
    return _tab(request, db, "quarantine", query)


@router.get("/inbox/done", response_class=HTMLResponse)
@router.post("/inbox/done", response_class=HTMLResponse)
def done(request: Request, viewer: CanReadInbox, db: Db, query: ListQuery) -> HTMLResponse:
    return _tab(request, db, "done", query)


def _item(
    request: Request, db: Session, viewer: Viewer, kind: str, key: int, form: FormValues | None = None
) -> ItemPage:
    row: ImagingStudy | DeviceMessage | None
    row = orders.study(db, key) if kind == "studies" else repository.message(db, key)
    if row is None:
        raise NotFound()
    said = service.stated_of(row)
    state, tone = state_of(row)
    today = local_date(request.app.state.clock.now(), request.app.state.settings.zone)
    category = "imaging" if isinstance(row, ImagingStudy) else "laboratory"
    readable = isinstance(row, ImagingStudy) or row.stated.get("message") is not None
    typed = dict(form or {})
    chosen = None
    if typed.get("patient_id", "").isdecimal() and state == "unmatched":
        chosen = patients.get(db, int(typed["patient_id"]))
    coded = orders.coded_names(db, "modality", "body_part")
    language = language_of(request)
    found = service.orders_of_person(db, chosen.id, category) if chosen else []
    tests = orders.tests(db, [order.id for order in found])
    matched = patients.get(db, row.patient_id) if row.patient_id is not None else None
    return ItemPage(
        kind=kind,
        base=f"/inbox/{kind}/{key}",
        study=row if isinstance(row, ImagingStudy) else None,
        message=row if isinstance(row, DeviceMessage) else None,
        said=said,
        device=repository.device(db, row.device_id),
        state=state,
        tone=tone,
        candidates=service.candidates(db, said, category, today) if state == "unmatched" and readable else [],
        chosen=chosen,
        chosen_name=views.full_name(chosen) if chosen else "",
        chosen_orders=[
            (order.id, f"{order.accession_number} · {views.title_of(order, tests.get(order.id, []), coded, language)}")
            for order in found
        ],
        chosen_order=typed.get("order_id", ""),
        matched=matched,
        matched_order=orders.order(db, row.order_id) if row.order_id is not None else None,
        values=_values(row),
        errors={},
    )


def _values(row: ImagingStudy | DeviceMessage) -> list[tuple[str, str, str]]:
    """What the values of a message read: name, value, unit."""
    content = row.stated.get("message") if isinstance(row, DeviceMessage) else None
    return [
        (
            " ".join(str(part) for part in (value.get("device_code"), value.get("device_name")) if part),
            f"{value.get('comparator') or ''}{value.get('number') or value.get('text') or ''}",
            str(value.get("unit") or ""),
        )
        for report in (content or {}).get("reports", [])
        for value in report.get("values", [])
    ]


@router.get("/inbox/{kind}/{key:int}", response_class=HTMLResponse)
def show(request: Request, viewer: CanReadInbox, db: Db, kind: str, key: int) -> HTMLResponse:
    return render(request, "orders/inbox_item.html", _item(request, db, viewer, _kind(kind), key))


@router.post("/inbox/{kind}/{key:int}/choose", response_class=HTMLResponse)
def choose(request: Request, viewer: CanResolve, db: Db, form: Form, kind: str, key: int) -> HTMLResponse:
    """A person was chosen: the same page with the orders of the person."""
    return render(request, "orders/inbox_item.html", _item(request, db, viewer, _kind(kind), key, form))


@router.post("/inbox/{kind}/{key:int}/match")
def match(request: Request, viewer: CanResolve, db: Db, form: Form, kind: str, key: int) -> Response:
    rerender_on_error(request, "orders/inbox_item.html", _item(request, db, viewer, _kind(kind), key, form))
    person, order = form.get("patient_id", ""), form.get("order_id", "")
    if not person.isdecimal():
        raise receiving_errors.UnknownPerson()
    order_id = int(order) if order.isdecimal() else None
    state = request.app.state
    if kind == "studies":
        receiving_studies.match_study(db, state.clock, key, int(person), order_id)
    else:
        receiving.match_message(db, state.clock, key, int(person), order_id)
    return see_other(request, f"/inbox/{kind}/{key}", Flash("inbox.matched"))


@router.post("/inbox/{kind}/{key:int}/unmatch")
def unmatch(request: Request, viewer: CanResolve, db: Db, form: Form, kind: str, key: int) -> Response:
    rerender_on_error(request, "orders/inbox_item.html", _item(request, db, viewer, _kind(kind), key))
    if kind == "studies":
        receiving_studies.unmatch_study(db, request.app.state.clock, key, form.get("reason", ""))
    else:
        receiving.unmatch_message(db, request.app.state.clock, key, form.get("reason", ""))
    return see_other(request, f"/inbox/{kind}/{key}", Flash("inbox.unmatched", "info"))


@router.post("/inbox/{kind}/{key:int}/dismiss")
def dismiss(request: Request, viewer: CanResolve, db: Db, form: Form, kind: str, key: int) -> Response:
    rerender_on_error(request, "orders/inbox_item.html", _item(request, db, viewer, _kind(kind), key))
    if kind == "studies":
        receiving_studies.dismiss_study(db, request.app.state.clock, key, form.get("reason", ""))
    else:
        receiving.dismiss_message(db, request.app.state.clock, key, form.get("reason", ""))
    return see_other(request, f"/inbox/{kind}/{key}", Flash("inbox.dismissed", "info"))


@router.post("/inbox/{kind}/{key:int}/restore")
def restore(request: Request, viewer: CanResolve, db: Db, form: Form, kind: str, key: int) -> Response:
    rerender_on_error(request, "orders/inbox_item.html", _item(request, db, viewer, _kind(kind), key))
    if kind == "studies":
        service.restore_study(db, key, form.get("reason", ""))
    else:
        service.restore_message(db, key, form.get("reason", ""))
    return see_other(request, f"/inbox/{kind}/{key}", Flash("inbox.restored"))


@router.get("/inbox/messages/{key:int}/raw", response_class=HTMLResponse)
def raw(request: Request, viewer: CanReadInbox, db: Db, key: int) -> HTMLResponse:
    """The raw HL7 message as it came; audited."""
    message = repository.message(db, key)
    if message is None:
        raise NotFound()
    segments = service.raw_text(db, request.app.state.settings.root, message)
    return render(request, "orders/raw.html", RawPage(message, segments))


def _kind(kind: str) -> str:
    if kind not in ("studies", "messages"):
        raise NotFound()
    return kind


def waiting(db: Session, viewer: Viewer) -> int:
    """What waits in the inbox."""
    return repository.count_waiting(db)


NAV: list[Any] = [NavItem("inbox.nav", "/inbox", "inbox.read", icon="download", order=60, shortcut="i")]
TILES: list[Any] = [
    Tile("inbox.nav", "/inbox", "inbox.read", icon="download", order=60, hint_key="inbox.tile", count=waiting)
]
