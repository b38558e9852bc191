"""The same use cases of home calls for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from operational.domains.home_visits.permissions import CanPerform, CanRead, CanRegister
from operational.domains.home_visits.schemas import AssignCall, CallOut, CancelCall, EditCall, PerformCall, RegisterCall
from operational.domains.home_visits.service import HomeCalls
from operational.web.database import Db

router = APIRouter(prefix="/api/home-calls", tags=["home calls"])


def service(request: Request, db: Db) -> HomeCalls:
    return HomeCalls(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[HomeCalls, Depends(service)]


@router.post("", status_code=201)
def register(viewer: CanRegister, calls: Service, wanted: RegisterCall) -> CallOut:
    """Register a call or an active; the site follows from attachment where none is named."""
    return CallOut.model_validate(calls.register(wanted))


@router.get("/{key}")
def show(viewer: CanRead, calls: Service, key: int) -> CallOut:
    """One call."""
    return CallOut.model_validate(calls.get(key))


@router.put("/{key}")
def edit(viewer: CanRegister, calls: Service, key: int, wanted: EditCall) -> CallOut:
    """Change what an open call says."""
    return CallOut.model_validate(calls.edit(key, wanted))


@router.post("/{key}/assign")
def assign(viewer: CanRegister, calls: Service, key: int, wanted: AssignCall) -> CallOut:
    """Hand a call over to somebody of the staff."""
    return CallOut.model_validate(calls.assign(key, wanted.practitioner_id))


@router.post("/{key}/perform")
def perform(viewer: CanPerform, calls: Service, key: int, wanted: PerformCall) -> CallOut:
    """Write down what came of a call."""
    return CallOut.model_validate(calls.perform(key, wanted))


@router.post("/{key}/not-found")
def not_found(viewer: CanPerform, calls: Service, key: int, wanted: PerformCall) -> CallOut:
    """Nobody was at home."""
    return CallOut.model_validate(calls.perform(key, wanted, found=False))


@router.post("/{key}/cancel")
def cancel(viewer: CanRegister, calls: Service, key: int, wanted: CancelCall) -> CallOut:
    """Cancel an open call, with the reason."""
    return CallOut.model_validate(calls.cancel(key, wanted.reason))
