"""Deaths for programs."""

from __future__ import annotations

from fastapi import APIRouter, Request

from operational.domains.patients import dying, repository
from operational.domains.patients.pages_death import CanRead, CanRegister, CanVoid
from operational.domains.patients.schemas_death import CorrectDeath, DeathOut, RegisterDeath, VoidIn
from operational.kit.errors import NotFound
from operational.web.database import Db

router = APIRouter(prefix="/api/deaths", tags=["deaths"])


@router.post("", status_code=201)
def register(request: Request, viewer: CanRegister, db: Db, body: RegisterDeath) -> DeathOut:
    """Register a death. 422 for a refused field, 409 when it is known already."""
    state = request.app.state
    return DeathOut.model_validate(dying.register_death(db, state.clock, state.settings.zone, body))


@router.get("/{key}")
def show(key: int, viewer: CanRead, db: Db) -> DeathOut:
    """One death."""
    death = repository.death(db, key)
    if death is None:
        raise NotFound
    return DeathOut.model_validate(death)


@router.put("/{key}")
def correct(key: int, request: Request, viewer: CanRegister, db: Db, body: CorrectDeath) -> DeathOut:
    """Correct a death, with a reason."""
    state = request.app.state
    return DeathOut.model_validate(dying.correct_death(db, state.clock, state.settings.zone, key, body))


@router.post("/{key}/void")
def void(key: int, request: Request, viewer: CanVoid, db: Db, body: VoidIn) -> DeathOut:
    """Mark a death as entered in error, with a reason."""
    state = request.app.state
    return DeathOut.model_validate(dying.void_death(db, state.clock, state.settings.zone, key, body.reason))
