"""Screens of identity: sign-in, home, own account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from operational.domains.identity import errors, repository, service, users
from operational.domains.identity.asking import address_of, clock_of, failures_of
from operational.domains.identity.models import UserSession
from operational.domains.identity.passwords import MINIMUM
from operational.domains.identity.permissions import SignedIn, public
from operational.kit.errors import NotFound
from operational.web import language as languages
from operational.web.csrf import SESSION_COOKIE
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form
from operational.web.nav import NavItem, Registry, Tile
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.texts import LANGUAGES, translate
from operational.web.viewer import viewer_of

router = APIRouter(include_in_schema=False)
router.include_router(users.router)
NAV = [
    NavItem("shell.home", "/", None, icon="home", order=0, shortcut="h"),
    NavItem("identity.users.nav", "/users", "users.manage", icon="shield", order=90, shortcut="m"),
]
TILES = [Tile("identity.users.nav", "/users", "users.manage", "shield", 90, "identity.users.hint")]


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The sign-in form."""

    login: str
    next: str
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class HomePage:
    """Panels of what cannot wait, tiles of what the viewer does, each with what waits; their organisation."""

    panels: Sequence[tuple[str, Any]]
    tiles: Sequence[tuple[Tile, int | None]]
    roles: Sequence[object]
    organisations: Sequence[repository.OrganisationName]
    now: datetime


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The own account: roles, password, live sessions, last acts."""

    roles: Sequence[object]
    organisations: Sequence[repository.OrganisationName]
    sessions: Sequence[UserSession]
    minimum: int
    errors: dict[str, str]


def _local(url: str) -> str:
    """The address when it stays on this site, else the home page."""
    local = url.startswith("/") and not url.startswith(("//", "/\\")) and "\n" not in url and "\r" not in url
    return url if local else "/"


@router.get("/sign-in")
@public
def sign_in_form(request: Request, next: str = "/") -> Response:
    """The form; whoever is signed in already goes on."""
    if viewer_of(request) is not None:
        return see_other(request, _local(next))
    return render(request, "identity/sign_in.html", SignInPage("", _local(next), {}))


@router.post("/sign-in")
@public
def sign_in(request: Request, form: Form, db: Db) -> Response:
    """Open a session; a refusal shows the form again and leaves its trace."""
    login, going_to = form.get("login", ""), _local(form.get("next", "/"))
    agent = request.headers.get("user-agent", "")
    outcome = service.guarded_sign_in(
        db, failures_of(request), login, form.get("password", ""), address_of(request), agent,
        clock_of(request).now(),
    )  # fmt: skip
    if outcome.token and outcome.user_id:
        return _signed_in(request, db, outcome.token, outcome.user_id, going_to)
    refusal = outcome.refusal or errors.WrongCredentials()
    message = translate(languages.language_of(request), refusal.message_key, **refusal.params)
    page = SignInPage(login, going_to, {"": message})
    return render(request, "identity/sign_in.html", page, refusal.status)


def _signed_in(request: Request, db: Db, token: str, user_id: int, going_to: str) -> Response:
    chosen = request.cookies.get(languages.COOKIE)
    if chosen in LANGUAGES:
        service.choose_language(db, user_id, chosen)
    response = see_other(request, going_to)
    response.set_cookie(
        SESSION_COOKIE, token, max_age=int(service.SESSION_LIFE.total_seconds()), path="/", httponly=True,
        samesite="lax", secure=request.url.scheme == "https",
    )  # fmt: skip
    response.delete_cookie(languages.COOKIE, path="/")
    return response


@router.post("/sign-out")
def sign_out(request: Request, viewer: SignedIn, db: Db) -> Response:
    """End the session here."""
    service.sign_out(db, viewer.user_id, viewer.session_id, clock_of(request).now())
    response = see_other(request, "/sign-in")
    response.delete_cookie(SESSION_COOKIE, path="/")
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


@router.post("/language")
@public
def choose_language(request: Request, form: Form, db: Db) -> Response:
    """Switch the language: remembered for a user, in a cookie before sign-in."""
    chosen = form.get("language", "")
    if chosen not in LANGUAGES:
        raise NotFound
    response = see_other(request, _local(form.get("next", "/")))
    viewer = viewer_of(request)
    if viewer is not None:
        service.choose_language(db, viewer.user_id, chosen)
    else:
        response.set_cookie(languages.COOKIE, chosen, max_age=86_400, path="/", httponly=True, samesite="lax")
    return response


@router.get("/", response_class=HTMLResponse)
def home(request: Request, viewer: SignedIn, db: Db) -> HTMLResponse:
    """The home page of the viewer's roles."""
    registry: Registry = request.app.state.registry
    tiles = [(tile, tile.count(db, viewer) if tile.count else None) for tile in registry.tiles_for(viewer)]
    built = [(panel.template, panel.build(request, db, viewer)) for panel in registry.panels_for(viewer)]
    held = repository.roles_of(db, viewer.user_id)
    page = HomePage(
        [(template, panel) for template, panel in built if panel is not None], tiles, [role for role, _ in held],
        repository.organisations(db, {key for _, key in held}),
        clock_of(request).now(),
    )  # fmt: skip
    return render(request, "identity/home.html", page)


def _account(request: Request, viewer: SignedIn, db: Db) -> AccountPage:
    held = repository.roles_of(db, viewer.user_id)
    return AccountPage(
        [role for role, _ in held], repository.organisations(db, {key for _, key in held}),
        repository.live_sessions(db, viewer.user_id, clock_of(request).now()), MINIMUM, {},
    )  # fmt: skip


@router.get("/account", response_class=HTMLResponse)
def account(request: Request, viewer: SignedIn, db: Db) -> HTMLResponse:
    """The own account."""
    return render(request, "identity/account.html", _account(request, viewer, db))


@router.post("/account/password")
def change_password(request: Request, viewer: SignedIn, db: Db, form: Form) -> Response:
    """Change the own password."""
    rerender_on_error(request, "identity/account.html", _account(request, viewer, db))
    service.change_password(
        db, viewer.user_id, viewer.session_id, form.get("current", ""), form.get("new", ""),
        form.get("repeat", ""), clock_of(request).now(),
    )  # fmt: skip
    return see_other(request, "/account", Flash("identity.password.changed"))


@router.post("/account/sessions/{session_id}/revoke")
def revoke_session(request: Request, session_id: int, viewer: SignedIn, db: Db) -> Response:
    """End another of one's own sessions."""
    service.revoke(db, viewer.user_id, session_id, clock_of(request).now())
    return see_other(request, "/account", Flash("identity.session.revoked"))
