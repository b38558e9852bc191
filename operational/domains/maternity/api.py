"""The same use cases of pregnancies and births for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from operational.domains.maternity.delivering import Births
from operational.domains.maternity.permissions import CanDeliver, CanRead, CanWrite
from operational.domains.maternity.schemas import (
    EndPregnancy,
    HoldVisit,
    PregnancyOut,
    RegisterBirth,
    RegisterPregnancy,
    TakeOver,
    WrittenOut,
)
from operational.domains.maternity.service import Pregnancies
from operational.domains.maternity.visiting import PregnancyVisits
from operational.web.database import Db

router = APIRouter(prefix="/api", tags=["maternity"])


def pregnancies(request: Request, db: Db) -> Pregnancies:
    return Pregnancies(db, request.app.state.clock, request.app.state.settings.zone)


def visits(request: Request, db: Db) -> PregnancyVisits:
    return PregnancyVisits(db, request.app.state.clock, request.app.state.settings.zone)


def births(request: Request, db: Db) -> Births:
    return Births(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[Pregnancies, Depends(pregnancies)]
Visits = Annotated[PregnancyVisits, Depends(visits)]
BirthService = Annotated[Births, Depends(births)]


@router.post("/pregnancies", status_code=201)
def register(viewer: CanWrite, service: Service, wanted: RegisterPregnancy) -> PregnancyOut:
    """Take a woman under pregnancy care; 409 when a pregnancy of hers is open anywhere in the region."""
    return PregnancyOut.model_validate(service.register(wanted))


@router.get("/pregnancies/{key}")
def show(viewer: CanRead, service: Service, key: int) -> PregnancyOut:
    """One pregnancy."""
    return PregnancyOut.model_validate(service.get(key))


@router.post("/pregnancies/{key}/take-over")
def take_over(viewer: CanWrite, service: Service, key: int, wanted: TakeOver) -> PregnancyOut:
    """Lead a pregnancy from today on, with its history."""
    return PregnancyOut.model_validate(service.take_over(key, wanted))


@router.post("/pregnancies/{key}/end")
def end(viewer: CanWrite, service: Service, key: int, wanted: EndPregnancy) -> PregnancyOut:
    """Write how a pregnancy ended."""
    return PregnancyOut.model_validate(service.end(key, wanted))


@router.post("/pregnancies/{key}/visits", status_code=201)
def hold(viewer: CanWrite, service: Visits, key: int, wanted: HoldVisit) -> WrittenOut:
    """Write a visit."""
    return WrittenOut(id=service.hold(key, wanted).id)


@router.post("/births", status_code=201)
def deliver(viewer: CanDeliver, service: BirthService, wanted: RegisterBirth) -> WrittenOut:
    """Register one newborn of a delivery."""
    return WrittenOut(id=service.register(wanted).id)
