"""Screens of deaths: the list, registration outside the ward, correction, voiding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from operational.domains.catalogs import service as catalogs
from operational.domains.catalogs.models import Icd10
from operational.domains.catalogs.repository import icd10_by_codes
from operational.domains.identity.permissions import require
from operational.domains.patients import dying, repository, service, views
from operational.domains.patients.models import Death, Patient
from operational.domains.patients.schemas_death import CorrectDeath, DeathFacts, RegisterDeath
from operational.domains.patients.search import read_criteria
from operational.domains.patients.views import CardHead
from operational.kit.audit import audit
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.formats import TYPED_MOMENT, local, parse_date
from operational.web.forms import Form, FormValues, parse
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery
from operational.web.nav import NavItem
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)
CanRead = Annotated[Viewer, require("deaths.read")]
CanRegister = Annotated[Viewer, require("deaths.register")]
CanVoid = Annotated[Viewer, require("deaths.void")]
NAV = [NavItem("deaths.nav", "/deaths", "deaths.read", icon="document", order=70)]
Choices = Sequence[tuple[str, str]]
COLUMNS = (
    Column("deaths.column.died_at", sort="died_at"),
    Column("deaths.column.name", sort="name"),
    Column("deaths.column.birth_date", narrow=True),
    Column("deaths.column.place"),
    Column("deaths.column.cause", narrow=True),
    Column("deaths.column.state"),
)
FLAGS = ("autopsy_flag",)


@dataclass(frozen=True, slots=True)
class DeathsPage:
    """The list of deaths with its filters."""

    columns: Sequence[Column]
    page: ListPage[tuple[Death, Patient]]
    places: Choices
    causes: Mapping[str, Icd10]


@dataclass(frozen=True, slots=True)
class DeathForm:
    """Registration or correction; ``head`` is None until a person is chosen."""

    head: CardHead | None
    death: Death | None
    places: Choices
    maternal: Choices
    organisations: Choices
    values: Mapping[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class DeathPage:
    """One death as it stands."""

    head: CardHead
    death: Death
    place: str
    hospital: str
    maternal: str
    causes: Mapping[str, Icd10]
    errors: dict[str, str]


def choices(db: Db, directory: str, language: str) -> Choices:
    """The entries of a small directory as choices."""
    return [(row.code, row.name_kk if language == "kk" else row.name_ru) for row in catalogs.values(db, directory)]


def _names(db: Db, codes: Sequence[str]) -> dict[str, Icd10]:
    """The entries of ICD-10 by their codes."""
    return {row.code: row for row in icd10_by_codes(db, codes)}


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


@router.get("/deaths", response_class=HTMLResponse)
@router.post("/deaths", response_class=HTMLResponse)
def deaths(request: Request, viewer: CanRead, db: Db, query: ListQuery) -> HTMLResponse:
    """The list of deaths of the people whom the organisation sees; the newest first."""
    zone = request.app.state.settings.zone
    since, until = _day(query.filters.get("since", "")), _day(query.filters.get("until", ""))
    sort = query.sort_in(("died_at", "name"))
    rows, total = repository.deaths(
        db, read_criteria(query.query, views.today_of(request)),
        since=datetime.combine(since, time(), zone).astimezone(UTC) if since else None,
        until=datetime.combine(until + timedelta(days=1), time(), zone).astimezone(UTC) if until else None,
        place=query.filters.get("place", ""), descending=query.descending or not query.sort,
        by_name=sort == "name", offset=query.offset, limit=query.size,
    )  # fmt: skip
    causes = _names(db, [death.underlying_icd10 for death, _ in rows])
    places = choices(db, "death_place", language_of(request))
    return render(request, "patients/deaths.html", DeathsPage(COLUMNS, ListPage(rows, total, query), places, causes))


def _form(
    request: Request, db: Db, values: Mapping[str, str], patient_id: int | None, death: Death | None = None
) -> DeathForm:
    language = language_of(request)
    organisations = repository.organisation_names(db, views.today_of(request))
    return DeathForm(
        head=views.card_head(db, patient_id, request, language) if patient_id else None,
        death=death,
        places=choices(db, "death_place", language),
        maternal=choices(db, "maternal_death", language),
        organisations=[(str(row.organisation_id), row.name_kk if language == "kk" else row.name_ru)
                       for row in organisations],
        values=values,
        errors={},
    )  # fmt: skip


def _facts(form: FormValues) -> dict[str, bool]:
    """What an unticked box means."""
    return {name: name in form for name in FLAGS} | {"time_known_flag": "time_unknown" not in form}


@router.get("/deaths/new", response_class=HTMLResponse)
def new(request: Request, viewer: CanRegister, db: Db, patient: int | None = None) -> HTMLResponse:
    """The registration of a death outside the ward."""
    start = {"place": "home", "maternal": "no"}
    return render(request, "patients/death_form.html", _form(request, db, start, patient))


@router.post("/deaths/new", response_class=HTMLResponse)
def create(request: Request, viewer: CanRegister, db: Db, form: Form) -> Response:
    """Register a death."""
    key = form.get("patient_id", "")
    page = _form(request, db, form, int(key) if key.isdecimal() else None)
    rerender_on_error(request, "patients/death_form.html", page)
    death = dying.register_death(
        db, request.app.state.clock, request.app.state.settings.zone, parse(RegisterDeath, form, **_facts(form))
    )
    return see_other(request, f"/deaths/{death.id}", Flash("deaths.registered"))


def _death(db: Db, key: int) -> Death:
    death = repository.death(db, key)
    if death is None:
        raise NotFound
    return death


def _page(request: Request, db: Db, key: int) -> DeathPage:
    death, language = _death(db, key), language_of(request)
    hospital = next((row for row in repository.organisation_names(db, views.today_of(request))
                     if row.organisation_id == death.hospital_organisation_id), None)  # fmt: skip
    codes = [code for code in (death.underlying_icd10, death.immediate_icd10) if code]
    return DeathPage(
        head=views.card_head(db, death.patient_id, request, language),
        death=death,
        place=dict(choices(db, "death_place", language)).get(death.place, death.place),
        hospital="" if hospital is None else hospital.name_kk if language == "kk" else hospital.name_ru,
        maternal=dict(choices(db, "maternal_death", language)).get(death.maternal, death.maternal),
        causes=_names(db, codes),
        errors={},
    )


@router.get("/deaths/{key:int}", response_class=HTMLResponse)
def show(key: int, request: Request, viewer: CanRead, db: Db) -> HTMLResponse:
    """One death."""
    page = _page(request, db, key)
    audit(db, "death.opened", object_table="death", object_id=key)
    return render(request, "patients/death.html", page)


@router.get("/deaths/{key:int}/edit", response_class=HTMLResponse)
def edit_form(key: int, request: Request, viewer: CanRegister, db: Db) -> HTMLResponse:
    """The correction of a death."""
    death = _death(db, key)
    names = _names(db, [code for code in (death.underlying_icd10, death.immediate_icd10) if code])
    values = {name: str(getattr(death, name) or "") for name in DeathFacts.model_fields if name not in FLAGS}
    for name in ("underlying_icd10", "immediate_icd10"):
        if (code := names.get(values[name])) is not None:
            kazakh = code.name_kk if language_of(request) == "kk" else None
            values[f"{name}_text"] = f"{code.code} {kazakh or code.name_ru}"
    values["died_at"] = f"{local(death.died_at, request.app.state.settings.timezone):{TYPED_MOMENT}}"
    values["autopsy_flag"] = "1" if death.autopsy_flag else ""
    values["time_unknown"] = "" if death.time_known_flag else "1"
    return render(request, "patients/death_form.html", _form(request, db, values, death.patient_id, death))


@router.post("/deaths/{key:int}/edit", response_class=HTMLResponse)
def edit(key: int, request: Request, viewer: CanRegister, db: Db, form: Form) -> Response:
    """Correct a death, with a reason."""
    death = _death(db, key)
    page = _form(request, db, form, death.patient_id, death)
    rerender_on_error(request, "patients/death_form.html", page)
    wanted = parse(CorrectDeath, form, **_facts(form))
    service.require_reason(wanted.reason)
    dying.correct_death(db, request.app.state.clock, request.app.state.settings.zone, key, wanted)
    return see_other(request, f"/deaths/{key}", Flash("deaths.corrected"))


@router.post("/deaths/{key:int}/void", response_class=HTMLResponse)
def void(key: int, request: Request, viewer: CanVoid, db: Db, form: Form) -> Response:
    """Mark a death as entered in error, with a reason."""
    rerender_on_error(request, "patients/death.html", _page(request, db, key))
    dying.void_death(db, request.app.state.clock, request.app.state.settings.zone, key, form.get("reason", ""))
    return see_other(request, f"/deaths/{key}", Flash("deaths.voided", "info"))
