"""One stay: what is known of it, and the short acts: condition, voiding of parts and of the stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from operational.domains.inpatient import chart, repository, views
from operational.domains.inpatient.discharging import Discharging
from operational.domains.inpatient.models import VitalSign
from operational.domains.inpatient.permissions import CanDischarge, CanRead, CanVoid, CanWrite
from operational.domains.inpatient.repository import DiagnosisRow, MovementRow, OperationRow, TransfusionRow
from operational.domains.inpatient.stays import Kind
from operational.domains.inpatient.views import Choices, StayHead
from operational.kit.audit import audit
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form
from operational.web.language import language_of
from operational.web.shell import render, rerender_on_error, see_other

router = APIRouter(include_in_schema=False)
LAST_MEASUREMENTS = 6


@dataclass(frozen=True, slots=True)
class StayPage:
    """Everything that the screen of one stay shows."""

    head: StayHead
    diagnoses: Sequence[DiagnosisRow]
    movements: Sequence[MovementRow]
    vitals: Sequence[VitalSign]
    drawing: chart.Chart | None
    operations: Sequence[OperationRow]
    transfusions: Sequence[TransfusionRow]
    conditions: Choices
    target: str
    open_flag: bool
    errors: dict[str, str]


def service(request: Request, db: Db) -> Discharging:
    return Discharging(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[Discharging, Depends(service)]


def stay_page(request: Request, db: Session, key: int, values: Mapping[str, str] | None = None) -> StayPage:
    """The page of a stay. Raises NotFound."""
    head, language = views.head(db, key, request), language_of(request)
    vitals = repository.vital_signs(db, key)
    target = head.stay.target_organisation_id
    day = head.stay.admitted_at.astimezone(request.app.state.settings.zone).date()
    found = repository.organisation_name(db, target, day) if target else None
    return StayPage(
        head=head,
        diagnoses=repository.diagnoses(db, key),
        movements=repository.movements(db, key),
        vitals=vitals[-LAST_MEASUREMENTS:],
        drawing=chart.draw(vitals, request.app.state.settings.zone),
        operations=repository.operations(db, key),
        transfusions=repository.transfusions(db, key),
        conditions=views.choices(views.coded(db, ("stay_condition",)), language)["stay_condition"],
        target=views.named(found, language) if found else "",
        open_flag=head.stay.discharged_at is None and head.stay.voided_at is None,
        errors={},
    )


@router.get("/stays/{key:int}", response_class=HTMLResponse)
def show(key: int, request: Request, viewer: CanRead, db: Db) -> HTMLResponse:
    """One stay."""
    page = stay_page(request, db, key)
    audit(db, "stay.opened", object_table="hospital_stay", object_id=key)
    return render(request, "inpatient/stay.html", page)


@router.post("/stays/{key:int}/condition", response_class=HTMLResponse)
def condition(key: int, request: Request, viewer: CanWrite, db: Db, stays: Service, form: Form) -> Response:
    """How severe the condition is now."""
    rerender_on_error(request, "inpatient/stay.html", stay_page(request, db, key))
    stays.set_condition(key, form.get("condition", ""))
    return see_other(request, f"/stays/{key}", Flash("inpatient.saved"))


@router.post("/stays/{key:int}/{kind}/{part:int}/void", response_class=HTMLResponse)
def void_part(
    key: int, kind: Kind, part: int, request: Request, viewer: CanRead, db: Db, stays: Service, form: Form
) -> Response:
    """Mark a part as entered in error; who may write it is asked by the service."""
    rerender_on_error(request, "inpatient/stay.html", stay_page(request, db, key))
    stays.void_part(key, kind, part, form.get("reason", ""))
    undo = None if kind == "movements" else f"/stays/{key}/{kind}/{part}/restore"
    return see_other(request, _back(key, kind), Flash("inpatient.part_voided", "info", undo_url=undo))


@router.post("/stays/{key:int}/{kind}/{part:int}/restore", response_class=HTMLResponse)
def restore_part(
    key: int, kind: Kind, part: int, request: Request, viewer: CanRead, db: Db, stays: Service
) -> Response:
    """Take the void of a part back."""
    rerender_on_error(request, "inpatient/stay.html", stay_page(request, db, key))
    stays.restore_part(key, kind, part)
    return see_other(request, _back(key, kind), Flash("inpatient.part_restored"))


def _back(key: int, kind: Kind) -> str:
    return f"/stays/{key}/sheet" if kind == "vitals" else f"/stays/{key}#{kind}"


@router.post("/stays/{key:int}/take-back", response_class=HTMLResponse)
def take_back(key: int, request: Request, viewer: CanDischarge, db: Db, stays: Service, form: Form) -> Response:
    """Take the discharge back, with a reason."""
    rerender_on_error(request, "inpatient/stay.html", stay_page(request, db, key))
    stays.take_back(key, form.get("reason", ""))
    return see_other(request, f"/stays/{key}", Flash("inpatient.discharge_taken_back", "info"))


@router.post("/stays/{key:int}/void", response_class=HTMLResponse)
def void(key: int, request: Request, viewer: CanVoid, db: Db, stays: Service, form: Form) -> Response:
    """Mark the stay as entered in error, with a reason."""
    rerender_on_error(request, "inpatient/stay.html", stay_page(request, db, key))
    stays.void(key, form.get("reason", ""))
    return see_other(request, f"/stays/{key}", Flash("inpatient.voided", "info"))


@router.post("/stays/{key:int}/restore", response_class=HTMLResponse)
def restore(key: int, request: Request, viewer: CanVoid, db: Db, stays: Service, form: Form) -> Response:
    """Take the void of a stay back, with a reason."""
    rerender_on_error(request, "inpatient/stay.html", stay_page(request, db, key))
    stays.restore(key, form.get("reason", ""))
    return see_other(request, f"/stays/{key}", Flash("inpatient.restored"))
