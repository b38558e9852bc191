"""Screens of the register: search, the digital medical card, data quality. Forms stand in ``pages_forms``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from kmis import iin
from operational.domains.patients import card, pages_death, pages_forms, pages_merge, repository, service, views
from operational.domains.patients.permissions import CanRead, CanRegister
from operational.domains.patients.repository import Reading, Sort
from operational.domains.patients.views import CardHead, PersonLine
from operational.kit.audit import audit
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery
from operational.web.nav import NavItem, Tile
from operational.web.shell import render, render_options, see_other

router = APIRouter(include_in_schema=False)
router.include_router(pages_forms.router)
router.include_router(pages_merge.router)
router.include_router(pages_death.router)
NAV = [NavItem("patients.nav", "/patients", "patients.read", icon="people", order=20, shortcut="p"), *pages_death.NAV]
TILES = [
    Tile("patients.nav", "/patients", "patients.read", icon="people", order=20, hint_key="patients.tile"),
    Tile(
        "patients.new", "/patients/new", "patients.register", icon="user-add", order=21,
        hint_key="patients.tile_new",
    ),
]  # fmt: skip
COLUMNS = (
    Column("patients.column.name", sort="name"),
    Column("patients.column.birth_date", sort="birth_date"),
    Column("patients.column.sex", narrow=True),
    Column("patients.column.iin", narrow=True),
    Column("patients.column.phone", narrow=True),
    Column("patients.column.number", sort="patient_no", numeric=True, narrow=True),
)
SORTS: tuple[Sort, ...] = ("name", "birth_date", "patient_no")
CARD_PAGE = 20


@dataclass(frozen=True, slots=True)
class SearchPage:
    """The list of persons; ``reading`` says how the name was understood."""

    columns: Sequence[Column]
    page: ListPage[PersonLine]
    reading: Reading
    check_digit_wrong: bool


@dataclass(frozen=True, slots=True)
class CardPage:
    """The digital medical card of a person."""

    head: CardHead
    timeline: card.TimelinePage
    kind: str
    actions: Sequence[card.CardAction]
    icons: dict[str, str]
    disagreements: Sequence[str]


@dataclass(frozen=True, slots=True)
class QualityRow:
    """A record whose IIN contradicts it, and what the IIN says."""

    line: PersonLine
    facts: Sequence[str]
    reason: str


@dataclass(frozen=True, slots=True)
class QualityPage:
    """Records that were confirmed against their IIN."""

    columns: Sequence[Column]
    page: ListPage[QualityRow]


@router.get("/patients", response_class=HTMLResponse)
@router.post("/patients", response_class=HTMLResponse)
def search(request: Request, viewer: CanRead, db: Db, query: ListQuery) -> HTMLResponse:
    """The list of persons; searched by POST."""
    sort = next((name for name in SORTS if name == query.sort), SORTS[0])
    found = service.search(
        db, query.query, views.today_of(request), sort=sort, descending=query.descending,
        offset=query.offset, limit=query.size,
    )  # fmt: skip
    rows = views.lines(found, views.today_of(request), language_of(request))
    page = SearchPage(COLUMNS, ListPage(rows, found.total, query), found.reading, found.criteria.check_digit_wrong_flag)
    return render(request, "patients/search.html", page)


@router.post("/patients/options", response_class=HTMLResponse)
def options(request: Request, viewer: CanRead, db: Db, form: Form) -> HTMLResponse:
    """Persons for a picker: the search that every block of the system uses where it needs a patient."""
    found = service.search(db, form.get("q", "")[:200], views.today_of(request), limit=10)
    rows = views.lines(found, views.today_of(request), language_of(request))
    return render_options(request, views.options(rows, request.app.state.settings.timezone))


@router.get("/patients/quality", response_class=HTMLResponse)
@router.post("/patients/quality", response_class=HTMLResponse)
def quality(request: Request, viewer: CanRegister, db: Db, query: ListQuery) -> HTMLResponse:
    """Records whose IIN contradicts birth date or sex, with the registrar's reason."""
    patients, total = repository.iin_mismatches(db, offset=query.offset, limit=query.size)
    found = service.listed(db, patients, total)
    people = views.lines(found, views.today_of(request), language_of(request))
    rows = [
        QualityRow(line, _disagreements(patient), patient.iin_mismatch_reason or "")
        for line, patient in zip(people, patients, strict=True)
    ]
    columns = (
        Column("patients.column.name"),
        Column("patients.column.iin", narrow=True),
        Column("patients.column.birth_date", narrow=True),
        Column("patients.column.sex", narrow=True),
        Column("patients.column.disagrees"),
    )
    return render(request, "patients/quality.html", QualityPage(columns, ListPage(rows, total, query)))


@router.get("/patients/{patient_id:int}", response_class=HTMLResponse)
def show(patient_id: int, request: Request, viewer: CanRead, db: Db, kind: str = "", page: int = 1) -> Response:
    """The card. A merged record leads to the card of its survivor."""
    patient = service.get(db, patient_id)
    if patient.merged_into_id is not None:
        message = Flash("patients.shown_as_one", "info")
        return see_other(request, f"/patients/{patient.merged_into_id}", message)
    language = language_of(request)
    head = views.card_head(db, patient_id, request, language)
    audit(db, "patient.card_opened", object_table="patient", object_id=patient.id)
    keys = tuple(record.id for record in head.records)
    asked = card.TimelineQuery(keys, language, request.app.state.settings.timezone, CARD_PAGE)
    shown = card.timeline(db, asked, viewer.permissions, kinds=[kind] if kind else (), page=page)
    context = CardPage(
        head=head,
        timeline=shown,
        kind=kind,
        actions=card.actions_for(viewer.permissions, head.patient, views.today_of(request)),
        icons={source.kind: source.icon for source in shown.sources},
        disagreements=_disagreements(head.patient),
    )
    return render(request, "patients/card.html", context)


def _disagreements(patient: Any) -> tuple[str, ...]:
    return iin.disagreements(patient.iin, patient.birth_date, patient.sex) if patient.iin else ()
