"""Screens of the administrator: users, their creation, blocking and new passwords."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from operational.domains.identity import repository, service
from operational.domains.identity.asking import clock_of
from operational.domains.identity.models import AppUser, AuditEvent, UserSession
from operational.domains.identity.permissions import CanManageUsers
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form, parse
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)
COLUMNS = (
    Column("identity.users.name", "display_name"),
    Column("identity.users.login", "login"),
    Column("identity.users.roles", narrow=True),
    Column("identity.users.last_seen", "last_seen", narrow=True),
    Column("identity.users.state", "active"),
)
EVENTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class UsersPage:
    """The list of users."""

    columns: Sequence[Column]
    page: ListPage[repository.UserRow]


@dataclass(frozen=True, slots=True)
class NewUserPage:
    """The form of a new user."""

    values: dict[str, str]
    roles: Sequence[tuple[str, str]]
    organisations: Sequence[tuple[str, str]]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class UserPage:
    """One user: roles, live sessions, last acts."""

    user: AppUser
    roles: Sequence[object]
    organisations: Sequence[repository.OrganisationName]
    sessions: Sequence[UserSession]
    events: Sequence[AuditEvent]
    own: bool


@dataclass(frozen=True, slots=True)
class HandedPage:
    """A password shown once."""

    user: AppUser
    password: str


class NewUser(BaseModel):
    """What the form of a new user holds."""

    login: Annotated[str, Field(min_length=3, max_length=60, pattern=r"^[A-Za-z0-9._-]+$")]
    display_name: Annotated[str, Field(min_length=2, max_length=120)]
    role: str
    organisation_id: int


@router.get("/users", response_class=HTMLResponse)
@router.post("/users", response_class=HTMLResponse)
def user_list(request: Request, viewer: CanManageUsers, db: Db, query: ListQuery) -> HTMLResponse:
    """Users with a role in the viewer's organisations."""
    query = query.settled(repository.SORTS)
    rows, total = repository.users(
        db, viewer.organisation_ids, query.query, query.sort, query.descending, query.offset, query.size
    )
    return render(request, "identity/users.html", UsersPage(COLUMNS, ListPage(rows, total, query)))


def _new_user_page(request: Request, viewer: Viewer, db: Session, values: dict[str, str]) -> NewUserPage:
    field = f"name_{language_of(request)}"
    roles = [(role.code, str(getattr(role, field))) for role in repository.roles(db)]
    places = repository.organisations(db, viewer.organisation_ids)
    return NewUserPage(values, roles, [(str(p.id), str(getattr(p, field) or p.name_ru)) for p in places], {})


@router.get("/users/new", response_class=HTMLResponse)
def new_user(request: Request, viewer: CanManageUsers, db: Db) -> HTMLResponse:
    """The form of a new user."""
    return render(request, "identity/user_new.html", _new_user_page(request, viewer, db, {}))


@router.post("/users/new")
def create_user(request: Request, viewer: CanManageUsers, db: Db, form: Form) -> Response:
    """Make the user and show the password once."""
    rerender_on_error(request, "identity/user_new.html", _new_user_page(request, viewer, db, form))
    wanted = parse(NewUser, form)
    user, handed = service.create_user(db, **wanted.model_dump(), allowed=viewer.organisation_ids)
    return render(request, "identity/handed.html", HandedPage(user, handed))


@router.get("/users/{user_id}", response_class=HTMLResponse)
def user_page(request: Request, user_id: int, viewer: CanManageUsers, db: Db) -> HTMLResponse:
    """One user."""
    user = repository.user_in_scope(db, user_id, viewer.organisation_ids)
    if user is None:
        raise NotFound
    held = repository.roles_of(db, user.id)
    page = UserPage(
        user, [role for role, _ in held], repository.organisations(db, {key for _, key in held}),
        repository.live_sessions(db, user.id, clock_of(request).now()),
        repository.recent_events(db, user.id, EVENTS_SHOWN), user.id == viewer.user_id,
    )  # fmt: skip
    return render(request, "identity/user.html", page)


@router.post("/users/{user_id}/block")
def block(request: Request, user_id: int, viewer: CanManageUsers, db: Db) -> Response:
    """Block the user."""
    service.set_active(
        db, user_id, False, by=viewer.user_id, allowed=viewer.organisation_ids,
        now=clock_of(request).now(),
    )  # fmt: skip
    undo = f"/users/{user_id}/unblock"
    return see_other(request, f"/users/{user_id}", Flash("identity.users.blocked_now", undo_url=undo))


@router.post("/users/{user_id}/unblock")
def unblock(request: Request, user_id: int, viewer: CanManageUsers, db: Db) -> Response:
    """Let the user in again."""
    service.set_active(
        db, user_id, True, by=viewer.user_id, allowed=viewer.organisation_ids,
        now=clock_of(request).now(),
    )  # fmt: skip
    return see_other(request, f"/users/{user_id}", Flash("identity.users.unblocked_now"))


@router.post("/users/{user_id}/password", response_class=HTMLResponse)
def new_password(request: Request, user_id: int, viewer: CanManageUsers, db: Db) -> HTMLResponse:
    """A new password, shown once."""
    now = clock_of(request).now()
    handed = service.reset_password(db, user_id, allowed=viewer.organisation_ids, now=now)
    user = repository.user_by_id(db, user_id)
    if user is None:
        raise NotFound
    return render(request, "identity/handed.html", HandedPage(user, handed))
