"""The applications of the domains in front of the test's own transaction, and in front of the real store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from kmis.clock import Clock, FixedClock
from kmis.settings import Settings
from operational.app import modules
from operational.kit.access import Scope
from operational.web import database, drafts
from operational.web.setup import install
from operational.web.viewer import Viewer

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # Tuesday, 14:00 in Oral


class _SignedIn:
    """Puts the viewer on every request."""

    def __init__(self, app: ASGIApp, viewer: Viewer) -> None:
        self.app = app
        self.viewer = viewer

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["viewer"] = self.viewer
        await self.app(scope, receive, send)


def viewer_of(scope: Scope, language: str = "ru") -> Viewer:
    """A signed-in user with what the scope holds."""
    return Viewer(
        session_id=1, user_id=scope.user_id or 0, login=scope.login, display_name=scope.display_name,
        language=language, permissions=scope.permissions, organisation_ids=scope.organisation_ids,
        home_organisation_id=scope.home_organisation_id, practitioner_id=scope.practitioner_id,
    )  # fmt: skip


def browser(
    settings: Settings,
    scope: Scope,
    session: Session | None = None,
    *,
    language: str = "ru",
    clock: Clock | None = None,
) -> TestClient:
    """A browser of the scope's user. With ``session`` a request is a savepoint of the test's transaction; without
    one it commits like in an installation."""
    app = FastAPI()
    app.state.clock = clock or FixedClock(NOW)
    app.add_middleware(_SignedIn, viewer=viewer_of(scope, language))
    pages = [*modules("pages"), drafts]
    install(app, settings, pages=pages)
    for module in modules("api") + pages:
        app.include_router(module.router)

    def _session() -> Iterator[Session]:
        assert session is not None
        with session.begin_nested():
            yield session

    if session is not None:
        app.dependency_overrides[database._session] = _session
    # A request with a token instead of a cookie needs no CSRF token.
    return TestClient(
        app, headers={"Authorization": "Bearer test"}, follow_redirects=False, raise_server_exceptions=False
    )
