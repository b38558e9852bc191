"""Identity for programs: a token for `Authorization: Bearer`, and who one is."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.responses import Response

from operational.domains.identity import service
from operational.domains.identity.asking import address_of, clock_of, failures_of
from operational.domains.identity.errors import WrongCredentials
from operational.domains.identity.permissions import SignedIn, public
from operational.web.database import Db
from operational.web.problems import respond_to

router = APIRouter(prefix="/api", tags=["identity"])


class Credentials(BaseModel):
    """What opens a session."""

    login: str = Field(max_length=60)
    password: str = Field(max_length=200)


class Me(BaseModel):
    """The signed-in user with the scope of this moment."""

    user_id: int
    login: str
    display_name: str
    language: str
    permissions: list[str]
    organisation_ids: list[int]


@router.post("/sign-in")
@public
def sign_in(request: Request, credentials: Credentials, db: Db) -> Response:
    """Open a session; `token` goes into the Authorization header. 422 for wrong credentials, 429 when closed."""
    agent = request.headers.get("user-agent", "")
    outcome = service.guarded_sign_in(
        db, failures_of(request), credentials.login, credentials.password, address_of(request), agent,
        clock_of(request).now(),
    )  # fmt: skip
    if outcome.token is None or outcome.expires_at is None:
        # Answered here, not raised: the transaction keeps the trace of the failure.
        return respond_to(request, outcome.refusal or WrongCredentials())
    return JSONResponse({"token": outcome.token, "expires_at": outcome.expires_at.isoformat()})


@router.get("/account")
def me(viewer: SignedIn) -> Me:
    """The user of the token or cookie."""
    return Me(
        user_id=viewer.user_id, login=viewer.login, display_name=viewer.display_name, language=viewer.language,
        permissions=sorted(viewer.permissions), organisation_ids=sorted(viewer.organisation_ids),
    )  # fmt: skip


@router.post("/sign-out", status_code=204)
def sign_out(request: Request, viewer: SignedIn, db: Db) -> None:
    """End the session."""
    service.sign_out(db, viewer.user_id, viewer.session_id, clock_of(request).now())
