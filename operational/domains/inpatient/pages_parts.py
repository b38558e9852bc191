"""What is written during a stay, a form each: diagnosis, movement, operation, transfusion, temperature sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from operational.domains.catalogs.models import CodedValue
from operational.domains.inpatient import chart, repository, views
from operational.domains.inpatient.models import VitalSign
from operational.domains.inpatient.pages_stay import Service
from operational.domains.inpatient.permissions import CanRead, CanWrite
from operational.domains.inpatient.schemas import AddDiagnosis, Measure, Move, Operate, Transfuse
from operational.domains.inpatient.views import Choices, StayHead
from operational.domains.inpatient.wards import repository as wards
from operational.domains.inpatient.wards.repository import BedsRow
from operational.domains.patients import views as people
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form, parse
from operational.web.language import language_of
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class PartPage:
    """A form of a part of the stay."""

    head: StayHead
    departments: Choices
    doctors: Choices
    choices: Mapping[str, Choices]
    labels: Mapping[tuple[str, str], CodedValue]
    beds: Sequence[BedsRow]
    values: Mapping[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class SheetPage:
    """The temperature sheet: the drawing, the rows, and the form of a new round of measurements."""

    head: StayHead
    drawing: chart.Chart | None
    rows: Sequence[VitalSign]
    measures: bool
    values: Mapping[str, str]
    errors: dict[str, str]


def _page(request: Request, db: Session, key: int, values: Mapping[str, str]) -> PartPage:
    head, language, today = views.head(db, key, request), language_of(request), people.today_of(request)
    own = head.stay.owner_organisation_id
    coded = views.coded(db)
    return PartPage(
        head=head,
        departments=views.departments(wards.ward_departments(db, (own,), today), language),
        doctors=views.doctors(db, own, today),
        choices=views.choices(coded, language),
        labels=views.labels(coded),
        beds=wards.beds(db, (own,), today),
        values=values,
        errors={},
    )


@router.get("/stays/{key:int}/diagnose", response_class=HTMLResponse)
def diagnose_form(key: int, request: Request, viewer: CanWrite, db: Db, phase: str = "clinical") -> HTMLResponse:
    """Add a diagnosis."""
    start = {"phase": phase, "rank": "main", "established_at": views.now_value(request)}
    return render(request, "inpatient/diagnose.html", _page(request, db, key, start))


@router.post("/stays/{key:int}/diagnose", response_class=HTMLResponse)
def diagnose(key: int, request: Request, viewer: CanWrite, db: Db, stays: Service, form: Form) -> Response:
    """Add a diagnosis of a phase."""
    rerender_on_error(request, "inpatient/diagnose.html", _page(request, db, key, form))
    stays.diagnose(key, parse(AddDiagnosis, form))
    return see_other(request, f"/stays/{key}#diagnoses", Flash("inpatient.saved"))


@router.get("/stays/{key:int}/move", response_class=HTMLResponse)
def move_form(key: int, request: Request, viewer: CanWrite, db: Db) -> HTMLResponse:
    """Move to another department, ward or bed."""
    place = repository.current_movement(db, key)
    start = {
        "started_at": views.now_value(request), "department_id": str(place.department_id) if place else "",
        "bed_profile": place.bed_profile if place else "",
    }  # fmt: skip
    return render(request, "inpatient/move.html", _page(request, db, key, start))


@router.post("/stays/{key:int}/move", response_class=HTMLResponse)
def move(key: int, request: Request, viewer: CanWrite, db: Db, stays: Service, form: Form) -> Response:
    """Move the patient."""
    rerender_on_error(request, "inpatient/move.html", _page(request, db, key, form))
    stays.move(key, parse(Move, form))
    return see_other(request, f"/stays/{key}#movements", Flash("inpatient.moved_ok"))


@router.get("/stays/{key:int}/operation", response_class=HTMLResponse)
def operation_form(key: int, request: Request, viewer: CanWrite, db: Db) -> HTMLResponse:
    """Write an operation."""
    start = {
        "started_at": views.now_value(request), "surgeon_id": str(viewer.practitioner_id or ""),
        "urgency": "emergency", "anaesthesia": "general",
    }  # fmt: skip
    return render(request, "inpatient/operation.html", _page(request, db, key, start))


@router.post("/stays/{key:int}/operation", response_class=HTMLResponse)
def operate(key: int, request: Request, viewer: CanWrite, db: Db, stays: Service, form: Form) -> Response:
    """Write an operation."""
    rerender_on_error(request, "inpatient/operation.html", _page(request, db, key, form))
    stays.operate(key, parse(Operate, form))
    return see_other(request, f"/stays/{key}#operations", Flash("inpatient.saved"))


@router.get("/stays/{key:int}/transfusion", response_class=HTMLResponse)
def transfusion_form(key: int, request: Request, viewer: CanWrite, db: Db) -> HTMLResponse:
    """Write a transfusion."""
    start = {"started_at": views.now_value(request), "practitioner_id": str(viewer.practitioner_id or "")}
    return render(request, "inpatient/transfusion.html", _page(request, db, key, start))


@router.post("/stays/{key:int}/transfusion", response_class=HTMLResponse)
def transfuse(key: int, request: Request, viewer: CanWrite, db: Db, stays: Service, form: Form) -> Response:
    """Write a transfusion."""
    rerender_on_error(request, "inpatient/transfusion.html", _page(request, db, key, form))
    stays.transfuse(key, parse(Transfuse, form, reaction_flag="reaction_flag" in form))
    return see_other(request, f"/stays/{key}#transfusions", Flash("inpatient.saved"))


def _sheet(request: Request, db: Session, viewer: Viewer, key: int, values: Mapping[str, str]) -> SheetPage:
    head = views.head(db, key, request)
    rows = repository.vital_signs(db, key)
    open_flag = head.stay.discharged_at is None and head.stay.voided_at is None
    may = viewer.can("inpatient.write") or viewer.can("inpatient.measure")
    return SheetPage(head, chart.draw(rows, request.app.state.settings.zone), rows, open_flag and may, values, {})


@router.get("/stays/{key:int}/sheet", response_class=HTMLResponse)
def sheet(key: int, request: Request, viewer: CanRead, db: Db) -> HTMLResponse:
    """The temperature sheet, to look at, to write in and to print."""
    start = {"measured_at": views.now_value(request)}
    return render(request, "inpatient/sheet.html", _sheet(request, db, viewer, key, start))


@router.post("/stays/{key:int}/sheet", response_class=HTMLResponse)
def measure(key: int, request: Request, viewer: CanRead, db: Db, stays: Service, form: Form) -> Response:
    """A round of measurements; doctors and nurses may write it, which the service asks."""
    rerender_on_error(request, "inpatient/sheet.html", _sheet(request, db, viewer, key, form))
    row = stays.measure(key, parse(Measure, form, chills_flag="chills_flag" in form))
    note = Flash("inpatient.measured_ok", undo_url=f"/stays/{key}/vitals/{row.id}/undo")
    return see_other(request, f"/stays/{key}/sheet", note)


@router.post("/stays/{key:int}/vitals/{part:int}/undo", response_class=HTMLResponse)
def undo_measure(key: int, part: int, request: Request, viewer: CanRead, stays: Service) -> Response:
    """Take the round back that was written a moment ago."""
    stays.void_part(key, "vitals", part, "entered_by_mistake")
    return see_other(request, f"/stays/{key}/sheet", Flash("inpatient.part_voided", "info"))
