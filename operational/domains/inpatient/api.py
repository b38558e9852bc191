"""The hospital for programs: the same use cases as the screens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from operational.domains.inpatient import repository
from operational.domains.inpatient.admission import Admission
from operational.domains.inpatient.discharging import Discharging
from operational.domains.inpatient.permissions import CanAdmit, CanDischarge, CanRead, CanVoid, CanWrite
from operational.domains.inpatient.schemas import (
    AddDiagnosis,
    Admit,
    Decide,
    DecideDeath,
    Discharge,
    Measure,
    Move,
    Operate,
    PartOut,
    Present,
    PresentationOut,
    ReasonIn,
    Seen,
    StayOut,
    Transfuse,
)
from operational.domains.inpatient.stays import Kind
from operational.kit.errors import NotFound
from operational.web.database import Db

router = APIRouter(prefix="/api/inpatient", tags=["inpatient"])


class CorrectIn(Discharge):
    """A corrected discharge, and why."""

    reason: str = ""


def admission_of(request: Request, db: Db) -> Admission:
    return Admission(db, request.app.state.clock, request.app.state.settings.zone)


def stays_of(request: Request, db: Db) -> Discharging:
    return Discharging(db, request.app.state.clock, request.app.state.settings.zone)


Desk = Annotated[Admission, Depends(admission_of)]
Stays = Annotated[Discharging, Depends(stays_of)]


@router.post("/presentations", status_code=201)
def present(viewer: CanAdmit, desk: Desk, body: Present) -> PresentationOut:
    """A person comes or is brought."""
    return PresentationOut.model_validate(desk.present(body))


@router.get("/presentations/{key}")
def presentation(viewer: CanRead, db: Db, key: int) -> PresentationOut:
    """One presentation."""
    row = repository.presentation(db, key)
    if row is None:
        raise NotFound
    return PresentationOut.model_validate(row)


@router.post("/presentations/{key}/seen")
def seen(viewer: CanAdmit, desk: Desk, key: int, body: Seen) -> PresentationOut:
    """A doctor sees the patient."""
    return PresentationOut.model_validate(desk.see(key, body))


@router.post("/presentations/{key}/admit", status_code=201)
def admit(viewer: CanAdmit, desk: Desk, key: int, body: Admit) -> StayOut:
    """Admit to a bed."""
    return StayOut.model_validate(desk.admit(key, body))


@router.post("/presentations/{key}/decide/{decision}")
def decide(viewer: CanAdmit, desk: Desk, key: int, decision: str, body: Decide) -> PresentationOut:
    """Refuse (``refused``), transfer (``transferred``), note that the person left (``left``)."""
    return PresentationOut.model_validate(desk.decide(key, decision, body))


@router.post("/presentations/{key}/died")
def died(viewer: CanAdmit, desk: Desk, key: int, body: DecideDeath) -> PresentationOut:
    """The person died in the admission department."""
    return PresentationOut.model_validate(desk.died(key, body))


@router.post("/presentations/{key}/take-back")
def take_decision_back(viewer: CanAdmit, desk: Desk, key: int, body: ReasonIn) -> PresentationOut:
    """Take the decision back."""
    return PresentationOut.model_validate(desk.take_back(key, body.reason))


@router.post("/presentations/{key}/void")
def void_presentation(viewer: CanAdmit, desk: Desk, key: int, body: ReasonIn) -> PresentationOut:
    """Mark a presentation as entered in error."""
    return PresentationOut.model_validate(desk.void(key, body.reason))


@router.get("/stays/{key}")
def show(viewer: CanRead, stays: Stays, key: int) -> StayOut:
    """One stay."""
    return StayOut.model_validate(stays.get(key))


@router.post("/stays/{key}/diagnoses", status_code=201)
def diagnose(viewer: CanWrite, stays: Stays, key: int, body: AddDiagnosis) -> PartOut:
    """Add a diagnosis."""
    return PartOut(id=stays.diagnose(key, body).id)


@router.post("/stays/{key}/movements", status_code=201)
def move(viewer: CanWrite, stays: Stays, key: int, body: Move) -> PartOut:
    """Move the patient."""
    return PartOut(id=stays.move(key, body).id)


@router.post("/stays/{key}/vitals", status_code=201)
def measure(viewer: CanRead, stays: Stays, key: int, body: Measure) -> PartOut:
    """Write a round of measurements; the service asks who may."""
    return PartOut(id=stays.measure(key, body).id)


@router.post("/stays/{key}/operations", status_code=201)
def operate(viewer: CanWrite, stays: Stays, key: int, body: Operate) -> PartOut:
    """Write an operation."""
    return PartOut(id=stays.operate(key, body).id)


@router.post("/stays/{key}/transfusions", status_code=201)
def transfuse(viewer: CanWrite, stays: Stays, key: int, body: Transfuse) -> PartOut:
    """Write a transfusion."""
    return PartOut(id=stays.transfuse(key, body).id)


@router.post("/stays/{key}/condition/{condition}")
def set_condition(viewer: CanWrite, stays: Stays, key: int, condition: str) -> StayOut:
    """How severe the condition is now."""
    return StayOut.model_validate(stays.set_condition(key, condition))


@router.post("/stays/{key}/{kind}/{part}/void")
def void_part(viewer: CanRead, stays: Stays, key: int, kind: Kind, part: int, body: ReasonIn) -> PartOut:
    """Mark a part as entered in error; the service asks who may."""
    return PartOut(id=stays.void_part(key, kind, part, body.reason).id)


@router.post("/stays/{key}/discharge")
def discharge(viewer: CanDischarge, stays: Stays, key: int, body: Discharge) -> StayOut:
    """Discharge and sign."""
    return StayOut.model_validate(stays.discharge(key, body))


@router.put("/stays/{key}/discharge")
def correct(viewer: CanDischarge, stays: Stays, key: int, body: CorrectIn) -> StayOut:
    """Correct a signed discharge as a new version."""
    return StayOut.model_validate(stays.correct(key, body, body.reason))


@router.post("/stays/{key}/take-back")
def take_discharge_back(viewer: CanDischarge, stays: Stays, key: int, body: ReasonIn) -> StayOut:
    """Take the discharge back."""
    return StayOut.model_validate(stays.take_back(key, body.reason))


@router.post("/stays/{key}/void")
def void(viewer: CanVoid, stays: Stays, key: int, body: ReasonIn) -> StayOut:
    """Mark a stay as entered in error."""
    return StayOut.model_validate(stays.void(key, body.reason))


@router.post("/stays/{key}/restore")
def restore(viewer: CanVoid, stays: Stays, key: int, body: ReasonIn) -> StayOut:
    """Take the void of a stay back."""
    return StayOut.model_validate(stays.restore(key, body.reason))
