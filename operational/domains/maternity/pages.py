"""Screens of pregnancies: the list, registration or taking over, the pregnancy itself, its paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from operational.domains.maternity import list_repository, pages_births, pages_visits, repository, ruleset, views
from operational.domains.maternity.list_repository import PregnancyRow, Wanted
from operational.domains.maternity.models import Pregnancy
from operational.domains.maternity.permissions import CanRead, CanWrite
from operational.domains.maternity.ruleset import Gestation
from operational.domains.maternity.schemas import CorrectPregnancy, EndPregnancy, RegisterPregnancy, TakeOver
from operational.domains.maternity.service import Pregnancies
from operational.domains.maternity.views import Choices
from operational.domains.organisation.models import OrganisationVersion
from operational.domains.patients.search import read_criteria
from operational.domains.patients.views import CardHead
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form, FormValues, parse
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery
from operational.web.nav import NavItem, Tile
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)
router.include_router(pages_visits.router)
router.include_router(pages_births.router)
SORTS = ("due", "patient", "registered", "risk", "last", "overdue")
COLUMNS = (
    Column("maternity.column.patient", sort="patient"),
    Column("maternity.column.term"),
    Column("maternity.column.due", sort="due"),
    Column("maternity.column.risk", sort="risk"),
    Column("maternity.column.visits", sort="overdue"),
    Column("maternity.column.last", sort="last", narrow=True),
    Column("maternity.column.leader", narrow=True),
    Column("maternity.column.registered", sort="registered", narrow=True),
)


@dataclass(frozen=True, slots=True)
class ListedPregnancy:
    """A row with the term of the day and who leads."""

    row: PregnancyRow
    term: Gestation
    leader: str


@dataclass(frozen=True, slots=True)
class ListOfPregnancies:
    """The list with its filters."""

    columns: Sequence[Column]
    page: ListPage[ListedPregnancy]
    obstetricians: Choices
    sites: Choices


@dataclass(frozen=True, slots=True)
class ChoosePage:
    """A patient is about to be chosen."""

    values: Mapping[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class NewPregnancyPage:
    """Registration of a woman; or the open pregnancy that stands instead, to be opened or taken over."""

    head: CardHead
    open_id: int | None
    open_here_flag: bool
    open_organisation: OrganisationVersion | None
    factors: Choices
    chosen: Sequence[str]
    obstetricians: Choices
    today: date
    values: Mapping[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class CorrectPage:
    """The figures of a registration, to be corrected."""

    head: CardHead
    pregnancy: Pregnancy
    values: Mapping[str, str]
    errors: dict[str, str]


def service(request: Request, db: Db) -> Pregnancies:
    return Pregnancies(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[Pregnancies, Depends(service)]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 18 else None


@router.get("/pregnancies", response_class=HTMLResponse)
@router.post("/pregnancies", response_class=HTMLResponse)
def listed(request: Request, viewer: CanRead, db: Db, query: ListQuery, pregnancies: Service) -> HTMLResponse:
    """The pregnancies that the viewer's organisations lead; on demand all that they see."""
    today, asked, language = pregnancies.today(), query.filters, language_of(request)
    trimester = _number(asked.get("trimester"))
    wanted = Wanted(
        today=today, trimester_days=ruleset.trimester_days(today), organisation_ids=viewer.organisation_ids,
        state=asked.get("state", "open"), led_flag=asked.get("leader", "own") == "own",
        trimester=trimester if trimester in (1, 2, 3) else None, risk=asked.get("risk", ""),
        practitioner_id=_number(asked.get("practitioner")), site_id=_number(asked.get("site")),
        overdue_flag=asked.get("overdue") == "1", criteria=read_criteria(query.query, today),
    )  # fmt: skip
    settled = query.settled(SORTS)
    rows, total = list_repository.pregnancies(
        db, wanted, sort=settled.sort, descending=query.descending, offset=query.offset, limit=query.size
    )
    keys = sorted({row.care.owner_organisation_id for row in rows if row.care})
    names = repository.organisation_names(db, keys, today)

    def leader(row: PregnancyRow) -> str:
        found = names.get(row.care.owner_organisation_id) if row.care else None
        organisation = (found.name_kk if language == "kk" else found.name_ru) if found else ""
        return ", ".join(part for part in (views.person(row.practitioner) if row.practitioner else "", organisation)
                         if part)  # fmt: skip

    shown = [
        ListedPregnancy(
            row, ruleset.gestation(row.pregnancy.last_menstrual_date, row.pregnancy.ended_on or today), leader(row)
        )
        for row in rows
    ]
    sites = list_repository.sites(db, viewer.organisation_ids, today)
    page = ListOfPregnancies(
        COLUMNS, ListPage(shown, total, settled), views.obstetricians(db, viewer, today),
        [(str(site.id), site.name_kk if language == "kk" else site.name_ru) for site in sites],
    )  # fmt: skip
    return render(request, "maternity/list.html", page)


@router.post("/pregnancies/choose")
def choose(request: Request, viewer: CanWrite, db: Db, form: Form) -> Response:
    """The chosen patient's registration; the key alone stands in the address."""
    rerender_on_error(request, "maternity/choose.html", ChoosePage(form, {}))
    patient_id = _number(form.get("patient_id"))
    if patient_id is None or repository.patient(db, patient_id) is None:
        raise NotFound("patient_id")
    return see_other(request, f"/pregnancies/new?patient={patient_id}")


def _new_page(
    request: Request, db: Session, viewer: Viewer, patient_id: int | None, values: Mapping[str, str],
    chosen: Sequence[str] = (),
) -> NewPregnancyPage:  # fmt: skip
    if patient_id is None:
        raise NotFound()
    pregnancies = Pregnancies(db, request.app.state.clock, request.app.state.settings.zone)
    today = pregnancies.today()
    head = views.head_of(request, db, patient_id)
    found = repository.open_in_region(db, head.patient.id)
    names = repository.organisation_names(db, [found.organisation_id or 0], today) if found else {}
    return NewPregnancyPage(
        head=head,
        open_id=found.pregnancy_id if found else None,
        open_here_flag=found is not None and found.organisation_id in viewer.organisation_ids,
        open_organisation=names.get(found.organisation_id or 0) if found else None,
        factors=views.factor_choices(db, language_of(request), today),
        chosen=chosen,
        obstetricians=views.obstetricians(db, viewer, today),
        today=today,
        values=values,
        errors={},
    )


@router.get("/pregnancies/new", response_class=HTMLResponse)
def new(request: Request, viewer: CanWrite, db: Db, patient: str = "") -> HTMLResponse:
    """The registration form of a patient; without one, the choice of a patient."""
    if not patient:
        return render(request, "maternity/choose.html", ChoosePage({}, {}))
    start = {"practitioner_id": str(viewer.practitioner_id or ""), "gravida": "1", "para": "0"}
    return render(request, "maternity/new.html", _new_page(request, db, viewer, _number(patient), start))


@router.post("/pregnancies/new", response_class=HTMLResponse)
def register(request: Request, viewer: CanWrite, db: Db, pregnancies: Service, form: Form) -> Response:
    """Register; what is open elsewhere comes back with the question whether to take it over."""
    chosen = form.lists.get("factors", [])
    page = _new_page(request, db, viewer, _number(form.get("patient_id")), form, chosen)
    rerender_on_error(request, "maternity/new.html", page)
    if page.open_id is not None:
        return render(request, "maternity/new.html", page, 409)
    pregnancy = pregnancies.register(parse(RegisterPregnancy, form, factors=chosen))
    return see_other(request, f"/pregnancies/{pregnancy.id}", Flash("maternity.registered"))


def _act(request: Request, db: Session, viewer: Viewer, key: int, form: FormValues) -> None:
    """A refusal shows the pregnancy again, with the message."""
    rerender_on_error(request, "maternity/pregnancy.html", views.pregnancy_page(request, db, viewer, key, form))


@router.post("/pregnancies/{key:int}/take-over", response_class=HTMLResponse)
def take_over(
    request: Request, viewer: CanWrite, db: Db, pregnancies: Service, form: Form, key: int, patient: str = ""
) -> Response:
    """Lead a pregnancy from today on: of another organisation, or as another obstetrician of the same."""
    if patient:
        page = _new_page(request, db, viewer, _number(patient), form)
        rerender_on_error(request, "maternity/new.html", page)
    else:
        _act(request, db, viewer, key, form)
    pregnancies.take_over(key, parse(TakeOver, form))
    return see_other(request, f"/pregnancies/{key}", Flash("maternity.taken_over"))


@router.get("/pregnancies/{key:int}", response_class=HTMLResponse)
def show(request: Request, viewer: CanRead, db: Db, key: int) -> HTMLResponse:
    """One pregnancy."""
    return render(request, "maternity/pregnancy.html", views.pregnancy_page(request, db, viewer, key))


@router.get("/pregnancies/{key:int}/print", response_class=HTMLResponse)
def paper(request: Request, viewer: CanRead, db: Db, key: int) -> HTMLResponse:
    """The pregnancy on A4."""
    return render(request, "maternity/print.html", views.pregnancy_page(request, db, viewer, key))


def _correct_page(request: Request, db: Session, pregnancy: Pregnancy, values: Mapping[str, str]) -> CorrectPage:
    return CorrectPage(views.head_of(request, db, pregnancy.patient_id), pregnancy, values, {})


@router.get("/pregnancies/{key:int}/edit", response_class=HTMLResponse)
def edit(request: Request, viewer: CanWrite, db: Db, pregnancies: Service, key: int) -> HTMLResponse:
    """The correction form of a registration."""
    pregnancy = pregnancies.get(key)
    values = views.pregnancy_values(pregnancy, request.app.state.settings.timezone)
    return render(request, "maternity/edit.html", _correct_page(request, db, pregnancy, values))


@router.post("/pregnancies/{key:int}/edit", response_class=HTMLResponse)
def correct(request: Request, viewer: CanWrite, db: Db, pregnancies: Service, form: Form, key: int) -> Response:
    """Correct the figures of a registration."""
    page = _correct_page(request, db, pregnancies.get(key), form)
    rerender_on_error(request, "maternity/edit.html", page)
    pregnancies.correct(key, parse(CorrectPregnancy, form))
    return see_other(request, f"/pregnancies/{key}", Flash("maternity.corrected"))


@router.post("/pregnancies/{key:int}/end", response_class=HTMLResponse)
def end(request: Request, viewer: CanWrite, db: Db, pregnancies: Service, form: Form, key: int) -> Response:
    """Write how the pregnancy ended."""
    _act(request, db, viewer, key, form)
    pregnancies.end(key, parse(EndPregnancy, form))
    return see_other(request, f"/pregnancies/{key}", Flash("maternity.ended"))


@router.post("/pregnancies/{key:int}/reopen", response_class=HTMLResponse)
def reopen(request: Request, viewer: CanWrite, db: Db, pregnancies: Service, form: Form, key: int) -> Response:
    """Take the end back."""
    _act(request, db, viewer, key, form)
    pregnancies.reopen(key, form.get("reason", ""))
    return see_other(request, f"/pregnancies/{key}", Flash("maternity.reopened", "info"))


@router.post("/pregnancies/{key:int}/void", response_class=HTMLResponse)
def void(request: Request, viewer: CanWrite, db: Db, pregnancies: Service, form: Form, key: int) -> Response:
    """Mark a pregnancy as entered in error."""
    _act(request, db, viewer, key, form)
    pregnancies.void(key, form.get("reason", ""))
    return see_other(request, f"/pregnancies/{key}", Flash("maternity.voided", "info"))


@router.post("/pregnancies/{key:int}/restore", response_class=HTMLResponse)
def restore(request: Request, viewer: CanWrite, db: Db, pregnancies: Service, form: Form, key: int) -> Response:
    """Take a void back."""
    _act(request, db, viewer, key, form)
    pregnancies.restore(key, form.get("reason", ""))
    return see_other(request, f"/pregnancies/{key}", Flash("maternity.restored"))


def led(db: Session, viewer: Viewer) -> int:
    """Open pregnancies: the obstetrician's own, for others those that the organisations lead."""
    own = viewer.practitioner_id if viewer.can("maternity.write") else None
    return list_repository.count_open(db, viewer.organisation_ids, own)


NAV: list[Any] = [NavItem("maternity.nav", "/pregnancies", "maternity.read", icon="people", order=34, shortcut="y")]
TILES: list[Any] = [
    Tile("maternity.nav", "/pregnancies", "maternity.read", icon="people", order=34, hint_key="maternity.tile",
         count=led),
]  # fmt: skip
