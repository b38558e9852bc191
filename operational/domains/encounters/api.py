"""The same use cases of a visit for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from operational.domains.encounters import repository, signing
from operational.domains.encounters.permissions import CanRead, CanSign, CanWrite
from operational.domains.encounters.schemas import (
    AddCondition,
    AddProcedure,
    AddReferral,
    PartOut,
    Reason,
    StartVisit,
    VisitOut,
    VisitText,
)
from operational.domains.encounters.service import Visits
from operational.web.database import Db

router = APIRouter(prefix="/api/encounters", tags=["encounters"])


def service(request: Request, db: Db) -> Visits:
    return Visits(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[Visits, Depends(service)]


@router.post("", status_code=201)
def start(viewer: CanWrite, visits: Service, wanted: StartVisit) -> VisitOut:
    """Begin a visit."""
    return VisitOut.model_validate(visits.start(wanted))


@router.get("/{key}")
def show(viewer: CanRead, visits: Service, key: int) -> VisitOut:
    """One visit."""
    return VisitOut.model_validate(visits.get(key))


@router.patch("/{key}")
def write(viewer: CanWrite, visits: Service, key: int, text: VisitText) -> VisitOut:
    """Save what was written and chosen."""
    return VisitOut.model_validate(visits.write(key, text))


@router.post("/{key}/conditions", status_code=201)
def add_condition(viewer: CanWrite, visits: Service, key: int, wanted: AddCondition) -> PartOut:
    """Add a diagnosis."""
    return PartOut(id=visits.add_condition(key, wanted).id)


@router.post("/{key}/procedures", status_code=201)
def add_procedure(viewer: CanWrite, visits: Service, key: int, wanted: AddProcedure) -> PartOut:
    """Add a performed service."""
    return PartOut(id=visits.add_procedure(key, wanted).id)


@router.post("/{key}/referrals", status_code=201)
def add_referral(viewer: CanWrite, visits: Service, key: int, wanted: AddReferral) -> PartOut:
    """Add a referral."""
    return PartOut(id=visits.add_referral(key, wanted).id)


@router.post("/{key}/sign")
def sign(viewer: CanSign, visits: Service, key: int) -> VisitOut:
    """Finish and sign."""
    visits.sign(key)
    return VisitOut.model_validate(visits.get(key))


@router.post("/{key}/reopen")
def reopen(viewer: CanSign, visits: Service, key: int, wanted: Reason) -> VisitOut:
    """Correct a signed visit as a new version."""
    return VisitOut.model_validate(visits.reopen(key, wanted.reason))


@router.post("/{key}/void")
def void(viewer: CanSign, visits: Service, key: int, wanted: Reason) -> VisitOut:
    """Mark a visit as entered in error."""
    return VisitOut.model_validate(visits.void(key, wanted.reason))


@router.get("/{key}/signatures")
def signatures(viewer: CanRead, db: Db, visits: Service, key: int) -> list[dict[str, object]]:
    """The signed versions of a visit and whether each is unaltered."""
    visits.get(key)
    return [
        {
            "version": row.version,
            "digest": row.digest,
            "signed_at": row.signed_at,
            "unaltered": signing.unaltered(row),
        }
        for row in repository.documents(db, key)
    ]
