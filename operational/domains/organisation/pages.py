"""Screens of organisations: the tree, an organisation's card, a site, a person of the staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from kmis.clock import local_date
from operational.domains.identity.asking import clock_of
from operational.domains.organisation import repository, service
from operational.domains.organisation.models import Department, OrganisationVersion, Practitioner, Room, Site
from operational.domains.organisation.permissions import CanManage, CanRead
from operational.domains.organisation.repository import AssignmentRow, OrganisationRow, SiteRow, StaffRow
from operational.domains.organisation.schemas import AssignSite, MoveStaff
from operational.domains.organisation.service import Branch
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form, parse
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery
from operational.web.nav import NavItem
from operational.web.shell import render, rerender_on_error, see_other

router = APIRouter(include_in_schema=False)
NAV = [NavItem("organisation.nav", "/organisations", "organisation.read", icon="building", order=70, shortcut="o")]
STAFF_COLUMNS = (
    Column("organisation.column.name", sort="name"),
    Column("organisation.column.position", sort="position"),
    Column("organisation.column.specialty", narrow=True),
    Column("organisation.column.department", sort="department", narrow=True),
    Column("organisation.column.since", sort="since", narrow=True),
)
SORTS = ("name", "position", "department", "since")


@dataclass(frozen=True, slots=True)
class TreePage:
    """The organisations of the viewer's scope."""

    branches: Sequence[Branch]
    columns: Sequence[Column]


@dataclass(frozen=True, slots=True)
class CardPage:
    """An organisation with its departments, sites, rooms and names over time."""

    organisation: OrganisationRow
    versions: Sequence[OrganisationVersion]
    departments: Sequence[Department]
    sites: Sequence[SiteRow]
    rooms: Sequence[Room]


@dataclass(frozen=True, slots=True)
class StaffPage:
    """The staff of an organisation."""

    organisation: OrganisationRow
    columns: Sequence[Column]
    page: ListPage[StaffRow]
    positions: dict[str, str]
    specialties: dict[str, str]


@dataclass(frozen=True, slots=True)
class PersonPage:
    """A person of the staff: positions over time, and the form that moves the present one."""

    person: Practitioner
    rows: Sequence[StaffRow]
    today: date
    positions: dict[str, str]
    specialties: dict[str, str]
    movable: StaffRow | None
    departments: list[tuple[str, str]]
    values: dict[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class SitePage:
    """A site: who answered for it, and the form that gives it to somebody else."""

    site: Site
    organisation: OrganisationRow
    rows: Sequence[AssignmentRow]
    people: list[tuple[str, str]]
    values: dict[str, str]
    errors: dict[str, str]


def today_of(request: Request) -> date:
    """Today in the zone of the installation."""
    return local_date(clock_of(request).now(), request.app.state.settings.zone)


def _names(db: Session, directory_code: str, language: str) -> dict[str, str]:
    kazakh = language == "kk"
    return {name.code: name.name_kk if kazakh else name.name_ru for name in repository.code_names(db, directory_code)}


@router.get("/organisations", response_class=HTMLResponse)
def organisations(request: Request, viewer: CanRead, db: Db) -> HTMLResponse:
    columns = (
        Column("organisation.column.organisation"),
        Column("organisation.column.kind"),
        Column("organisation.column.code", narrow=True),
        Column("organisation.column.kato", narrow=True),
    )
    return render(request, "organisation/tree.html", TreePage(service.tree(db, today_of(request)), columns))


@router.get("/organisations/{organisation_id}", response_class=HTMLResponse)
def card(organisation_id: int, request: Request, viewer: CanRead, db: Db) -> HTMLResponse:
    today = today_of(request)
    page = CardPage(
        service.organisation(db, organisation_id, today),
        repository.versions(db, organisation_id),
        repository.departments(db, organisation_id, today),
        repository.sites(db, organisation_id, today),
        repository.rooms(db, organisation_id),
    )
    return render(request, "organisation/card.html", page)


@router.get("/organisations/{organisation_id}/staff", response_class=HTMLResponse)
@router.post("/organisations/{organisation_id}/staff", response_class=HTMLResponse)
def staff(organisation_id: int, request: Request, viewer: CanRead, db: Db, query: ListQuery) -> HTMLResponse:
    language, today = language_of(request), today_of(request)
    positions, specialties = _names(db, "position", language), _names(db, "specialty", language)
    rows = service.find_staff(db, organisation_id, today, query.query)
    keys: dict[str, Any] = {
        "position": lambda row: positions.get(row.role.position_code, ""),
        "department": lambda row: row.department.code,
        "since": lambda row: row.role.valid_from,
    }
    wanted = query.sort_in(SORTS)
    if wanted in keys:
        rows = sorted(rows, key=keys[wanted])
    if query.descending:
        rows = rows[::-1]
    shown = rows[query.offset : query.offset + query.size]
    organisation = service.organisation(db, organisation_id, today)
    page = StaffPage(organisation, STAFF_COLUMNS, ListPage(shown, len(rows), query), positions, specialties)
    return render(request, "organisation/staff.html", page)


@router.get("/staff/{practitioner_id}", response_class=HTMLResponse)
def person(practitioner_id: int, request: Request, viewer: CanRead, db: Db) -> HTMLResponse:
    return render(request, "organisation/person.html", _person_page(request, db, practitioner_id, {}))


def _person_page(request: Request, db: Session, practitioner_id: int, values: dict[str, str]) -> PersonPage:
    language, today = language_of(request), today_of(request)
    who, rows = service.staff_of_scope(db, practitioner_id)
    movable = next((row for row in rows if row.role.valid_to is None and row.role.valid_from <= today), None)
    departments: list[tuple[str, str]] = []
    if movable is not None:
        departments = [
            (str(d.id), d.name_kk if language == "kk" else d.name_ru)
            for d in repository.departments(db, movable.role.organisation_id, today)
        ]
        values = values or {
            "department_id": str(movable.role.department_id),
            "position_code": movable.role.position_code,
            "specialty_code": movable.role.specialty_code,
        }
    return PersonPage(
        who, rows, today, _names(db, "position", language), _names(db, "specialty", language), movable, departments,
        values, {},
    )  # fmt: skip


@router.post("/staff/{practitioner_id}/roles/{role_id}/move")
def move(practitioner_id: int, role_id: int, request: Request, viewer: CanManage, db: Db, form: Form) -> Response:
    rerender_on_error(request, "organisation/person.html", _person_page(request, db, practitioner_id, form))
    service.move_staff(db, role_id, parse(MoveStaff, form))
    return see_other(request, f"/staff/{practitioner_id}", Flash("organisation.moved"))


@router.get("/sites/{site_id}", response_class=HTMLResponse)
def site(site_id: int, request: Request, viewer: CanRead, db: Db) -> HTMLResponse:
    return render(request, "organisation/site.html", _site_page(request, db, site_id, {}))


def _site_page(request: Request, db: Session, site_id: int, values: dict[str, str]) -> SitePage:
    today = today_of(request)
    found = service.site_of_scope(db, site_id)
    people = {str(row.practitioner.id): row.full_name for row in repository.staff(db, found.organisation_id, today)}
    return SitePage(
        found,
        service.organisation(db, found.organisation_id, today),
        repository.assignments(db, site_id),
        list(people.items()),
        values,
        {},
    )


@router.post("/sites/{site_id}/assign")
def assign(site_id: int, request: Request, viewer: CanManage, db: Db, form: Form) -> Response:
    rerender_on_error(request, "organisation/site.html", _site_page(request, db, site_id, form))
    service.assign_site(db, site_id, parse(AssignSite, form))
    return see_other(request, f"/sites/{site_id}", Flash("organisation.assigned"))
