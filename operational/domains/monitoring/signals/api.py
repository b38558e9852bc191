"""Signal cases for programs: rules over history open cases here after a refresh, and the acts of the screens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from operational.domains.monitoring.permissions import CanOpenSignals, CanReadSignals, CanWorkSignals
from operational.domains.monitoring.signals.schemas import (
    Assign,
    CaseKey,
    CaseOut,
    Close,
    OpenSignal,
    Reason,
    Told,
    Visited,
)
from operational.domains.monitoring.signals.service import Signals
from operational.web.database import Db

router = APIRouter(prefix="/signals", tags=["signals"])


def service(request: Request, db: Db) -> Signals:
    return Signals(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[Signals, Depends(service)]


@router.post("/open", status_code=201)
def open_case(viewer: CanOpenSignals, cases: Service, wanted: OpenSignal) -> CaseKey:
    """Open, extend or reopen the case of a rule and subject; the same proposal again changes nothing."""
    return CaseKey(id=cases.open(wanted))


@router.get("/{key}")
def show(viewer: CanReadSignals, cases: Service, key: int) -> CaseOut:
    """One case; an addressee has thereby seen it."""
    return CaseOut.model_validate(cases.show(key))


@router.post("/{key}/contacted")
def contacted(viewer: CanWorkSignals, cases: Service, key: int, wanted: Told) -> CaseOut:
    """Say that the patient, the family or the hospital was spoken to."""
    return CaseOut.model_validate(cases.contacted(key, wanted.note))


@router.post("/{key}/visited")
def visited(viewer: CanWorkSignals, cases: Service, key: int, wanted: Visited) -> CaseOut:
    """Say that the patient was seen."""
    return CaseOut.model_validate(cases.visited(key, wanted))


@router.post("/{key}/take")
def take(viewer: CanWorkSignals, cases: Service, key: int) -> CaseOut:
    """Answer for the case oneself."""
    return CaseOut.model_validate(cases.take(key))


@router.post("/{key}/assign")
def assign(viewer: CanWorkSignals, cases: Service, key: int, wanted: Assign) -> CaseOut:
    """Hand the case over."""
    return CaseOut.model_validate(cases.assign(key, wanted.practitioner_id))


@router.post("/{key}/close")
def close(viewer: CanWorkSignals, cases: Service, key: int, wanted: Close) -> CaseOut:
    """Close with a coded outcome."""
    return CaseOut.model_validate(cases.close(key, wanted))


@router.post("/{key}/reopen")
def reopen(viewer: CanWorkSignals, cases: Service, key: int, wanted: Reason) -> CaseOut:
    """Open a closed case again, with a reason."""
    return CaseOut.model_validate(cases.reopen(key, wanted.reason))
