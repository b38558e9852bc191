"""Visits and risk factors of a pregnancy: written on its page, corrected on their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from operational.domains.maternity import repository, views
from operational.domains.maternity.models import Pregnancy, PregnancyVisit
from operational.domains.maternity.permissions import CanWrite
from operational.domains.maternity.schemas import CorrectVisit, HoldVisit
from operational.domains.maternity.views import Choices
from operational.domains.maternity.visiting import PregnancyVisits
from operational.domains.patients.views import CardHead
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form, FormValues, parse
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.viewer import Viewer

router = APIRouter()


@dataclass(frozen=True, slots=True)
class VisitPage:
    """A held visit, to be corrected."""

    head: CardHead
    pregnancy: Pregnancy
    visit: PregnancyVisit
    visit_choices: Choices
    values: Mapping[str, str]
    errors: dict[str, str]


def service(request: Request, db: Db) -> PregnancyVisits:
    return PregnancyVisits(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[PregnancyVisits, Depends(service)]


def _act(request: Request, db: Session, viewer: Viewer, key: int, form: FormValues) -> None:
    """A refusal shows the pregnancy again, with the message and what was typed."""
    rerender_on_error(request, "maternity/pregnancy.html", views.pregnancy_page(request, db, viewer, key, form))


@router.post("/pregnancies/{key:int}/visits", response_class=HTMLResponse)
def hold(request: Request, viewer: CanWrite, db: Db, visits: Service, form: Form, key: int) -> Response:
    """Write a visit."""
    _act(request, db, viewer, key, form)
    visits.hold(key, parse(HoldVisit, form))
    return see_other(request, f"/pregnancies/{key}#visits", Flash("maternity.visit_saved"))


def _page(request: Request, db: Session, viewer: Viewer, key: int, visit_id: int,
          values: Mapping[str, str] | None = None) -> VisitPage:  # fmt: skip
    whole = views.pregnancy_page(request, db, viewer, key)
    visit = repository.visit(db, key, visit_id)
    if visit is None or visit.voided_at is not None:
        raise NotFound()
    own = [(str(visit.visit_no), f"№ {visit.visit_no}")] if visit.visit_no else []
    if values is None:
        values = views.visit_values(visit, request.app.state.settings.timezone)
    return VisitPage(whole.head, whole.pregnancy, visit, own + whole.visit_choices, values, {})


@router.get("/pregnancies/{key:int}/visits/{visit_id:int}/edit", response_class=HTMLResponse)
def edit(request: Request, viewer: CanWrite, db: Db, key: int, visit_id: int) -> HTMLResponse:
    """The correction form of a visit."""
    return render(request, "maternity/visit.html", _page(request, db, viewer, key, visit_id))


@router.post("/pregnancies/{key:int}/visits/{visit_id:int}/edit", response_class=HTMLResponse)
def correct(
    request: Request, viewer: CanWrite, db: Db, visits: Service, form: Form, key: int, visit_id: int
) -> Response:
    """Correct a visit, with the reason."""
    rerender_on_error(request, "maternity/visit.html", _page(request, db, viewer, key, visit_id, form))
    visits.correct(key, visit_id, parse(CorrectVisit, form))
    return see_other(request, f"/pregnancies/{key}#visits", Flash("maternity.visit_corrected"))


@router.post("/pregnancies/{key:int}/visits/{visit_id:int}/void", response_class=HTMLResponse)
def void(request: Request, viewer: CanWrite, db: Db, visits: Service, form: Form, key: int, visit_id: int) -> Response:
    """Mark a visit as entered in error; the toast takes it back."""
    _act(request, db, viewer, key, form)
    visits.void(key, visit_id, form.get("reason", ""))
    undo = f"/pregnancies/{key}/visits/{visit_id}/restore"
    return see_other(request, f"/pregnancies/{key}#visits", Flash("maternity.visit_voided", "info", undo_url=undo))


@router.post("/pregnancies/{key:int}/visits/{visit_id:int}/restore", response_class=HTMLResponse)
def restore(
    request: Request, viewer: CanWrite, db: Db, visits: Service, form: Form, key: int, visit_id: int
) -> Response:
    """Take the void of a visit back."""
    _act(request, db, viewer, key, form)
    visits.restore(key, visit_id)
    return see_other(request, f"/pregnancies/{key}#visits", Flash("maternity.visit_restored"))


@router.post("/pregnancies/{key:int}/factors", response_class=HTMLResponse)
def add_factor(request: Request, viewer: CanWrite, db: Db, visits: Service, form: Form, key: int) -> Response:
    """Add a risk factor; the group follows."""
    _act(request, db, viewer, key, form)
    visits.add_factor(key, form.get("factor_code", ""))
    return see_other(request, f"/pregnancies/{key}#risk", Flash("maternity.factor_added"))


@router.post("/pregnancies/{key:int}/factors/{factor_id:int}/{act}", response_class=HTMLResponse)
def change_factor(
    request: Request, viewer: CanWrite, db: Db, visits: Service, form: Form, key: int, factor_id: int, act: str
) -> Response:
    """Take a risk factor away, or put it back."""
    _act(request, db, viewer, key, form)
    visits.remove_factor(key, factor_id, restore=act == "restore")
    if act == "restore":
        return see_other(request, f"/pregnancies/{key}#risk", Flash("maternity.factor_added"))
    undo = f"/pregnancies/{key}/factors/{factor_id}/restore"
    return see_other(request, f"/pregnancies/{key}#risk", Flash("maternity.factor_removed", "info", undo_url=undo))
