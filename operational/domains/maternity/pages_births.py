"""Births: the form for each newborn, and the page of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from kmis.clock import local_date
from operational.domains.maternity import repository, ruleset, views
from operational.domains.maternity.delivering import DELIVERY_LASTS, Births
from operational.domains.maternity.models import Birth, Pregnancy
from operational.domains.maternity.permissions import CanDeliver, CanRead
from operational.domains.maternity.schemas import RegisterBirth
from operational.domains.maternity.views import Choices
from operational.domains.organisation.models import Practitioner
from operational.domains.patients.views import CardHead
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.formats import format_date, format_moment
from operational.web.forms import Form, parse
from operational.web.language import language_of
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.viewer import Viewer

router = APIRouter()


@dataclass(frozen=True, slots=True)
class NewBirthPage:
    """A newborn is about to be registered; ``known`` are those of the same delivery."""

    head: CardHead
    pregnancy: Pregnancy | None
    known: Sequence[Birth]
    departments: Choices
    values: Mapping[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class BirthPage:
    """One newborn of a delivery."""

    head: CardHead
    birth: Birth
    practitioner: Practitioner | None
    own_flag: bool
    values: Mapping[str, str]
    errors: dict[str, str]


def service(request: Request, db: Db) -> Births:
    return Births(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[Births, Depends(service)]


def _today(births: Births) -> date:
    return local_date(births.clock.now(), births.zone)


def _new_page(
    request: Request, db: Session, viewer: Viewer, births: Births, patient: str, values: Mapping[str, str] | None
) -> NewBirthPage:
    if not patient.isdecimal() or len(patient) > 17:
        raise NotFound("patient_id")
    head = views.head_of(request, db, int(patient))
    today, language = _today(births), language_of(request)
    pregnancy = births.pregnancy_of(head.patient.id, today)
    mother_id = pregnancy.patient_id if pregnancy else head.patient.id
    known = repository.births_near(db, mother_id, today, DELIVERY_LASTS)
    if values is None:
        values = _start(births, pregnancy, known, today, request.app.state.settings.timezone)
    units = repository.departments(db, viewer.home_organisation_id, today)
    return NewBirthPage(
        head=head, pregnancy=pregnancy, known=known, values=values, errors={},
        departments=[(str(unit.id), unit.name_kk if language == "kk" else unit.name_ru) for unit in units],
    )  # fmt: skip


def _start(
    births: Births, pregnancy: Pregnancy | None, known: Sequence[Birth], today: date, zone: str
) -> dict[str, str]:
    values = {"born_at": format_moment(births.clock.now(), zone), "birth_order": "1", "plurality": "1",
              "register_child_flag": "1"}  # fmt: skip
    if pregnancy is not None:
        values["gestation_weeks"] = str(ruleset.gestation(pregnancy.last_menstrual_date, today).weeks)
    if known:
        first = known[0]
        values |= {
            "birth_order": str(len(known) + 1), "plurality": str(first.plurality), "place": first.place,
            "delivery_date": format_date(first.delivery_date, zone), "delivery_mode": first.delivery_mode,
            "department_id": str(first.department_id or ""), "gestation_weeks": str(first.gestation_weeks),
        }  # fmt: skip
    return values


@router.get("/births/new", response_class=HTMLResponse)
def new(request: Request, viewer: CanDeliver, db: Db, births: Service, patient: str = "") -> HTMLResponse:
    """The form for a newborn of this mother."""
    return render(request, "maternity/birth_new.html", _new_page(request, db, viewer, births, patient, None))


@router.post("/births/new", response_class=HTMLResponse)
def register(request: Request, viewer: CanDeliver, db: Db, births: Service, form: Form) -> Response:
    """Register a newborn; the next one of twins follows on the same form."""
    page = _new_page(request, db, viewer, births, form.get("patient_id", ""), form)
    rerender_on_error(request, "maternity/birth_new.html", page)
    birth = births.register(parse(RegisterBirth, form))
    if birth.birth_order < birth.plurality:
        return see_other(request, f"/births/new?patient={birth.patient_id}", Flash("maternity.birth_next"))
    return see_other(request, f"/births/{birth.id}", Flash("maternity.birth_saved"))


def _page(
    request: Request, db: Session, viewer: Viewer, births: Births, key: int, values: Mapping[str, str]
) -> BirthPage:
    birth = births.get(key)
    return BirthPage(
        head=views.head_of(request, db, birth.patient_id),
        birth=birth,
        practitioner=repository.practitioner(db, birth.practitioner_id) if birth.practitioner_id else None,
        own_flag=birth.owner_organisation_id in viewer.organisation_ids,
        values=values,
        errors={},
    )


@router.get("/births/{key:int}", response_class=HTMLResponse)
def show(request: Request, viewer: CanRead, db: Db, births: Service, key: int) -> HTMLResponse:
    """One newborn."""
    return render(request, "maternity/birth.html", _page(request, db, viewer, births, key, {}))


@router.post("/births/{key:int}/void", response_class=HTMLResponse)
def void(request: Request, viewer: CanDeliver, db: Db, births: Service, form: Form, key: int) -> Response:
    """Mark a birth as entered in error; with the last one its pregnancy is open again."""
    rerender_on_error(request, "maternity/birth.html", _page(request, db, viewer, births, key, form))
    births.void(key, form.get("reason", ""))
    return see_other(request, f"/births/{key}", Flash("maternity.birth_voided", "info"))
