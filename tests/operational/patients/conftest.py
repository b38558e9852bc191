"""The register's screens and API in front of the test's own transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from kmis.clock import FixedClock
from kmis.settings import Settings
from operational.domains.catalogs import pages as catalog_pages
from operational.domains.patients import api, pages
from operational.kit.access import Scope
from operational.web import database
from operational.web.setup import install
from operational.web.viewer import Viewer

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
EVERYTHING = frozenset({"patients.read", "patients.register", "patients.attach", "patients.merge", "catalogs.read"})


class _SignedIn:
    """Puts the viewer on every request."""

    def __init__(self, app: ASGIApp, viewer: Viewer) -> None:
        self.app = app
        self.viewer = viewer

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["viewer"] = self.viewer
        await self.app(scope, receive, send)


def client_of(session: Session, settings: Settings, scope: Scope, **changes: object) -> TestClient:
    """A browser signed in with the scope; every request is a savepoint of the test's transaction."""
    values: dict[str, object] = {
        "session_id": 1, "user_id": scope.user_id, "login": "registrar", "display_name": "Тіркеуші",
        "language": "ru", "permissions": EVERYTHING, "organisation_ids": scope.organisation_ids,
        "home_organisation_id": scope.home_organisation_id,
    }  # fmt: skip
    viewer = Viewer(**(values | changes))  # type: ignore[arg-type]  # the values are typed by their names
    app = FastAPI()
    app.state.clock = FixedClock(NOW)
    app.add_middleware(_SignedIn, viewer=viewer)
    install(app, settings, pages=[pages])
    for router in (api.router, pages.router, catalog_pages.router):
        app.include_router(router)

    def _session() -> Iterator[Session]:
        with session.begin_nested():
            yield session

    app.dependency_overrides[database._session] = _session
    # A request without a session cookie but with a token cannot be forged by a browser, so it needs no CSRF token.
    return TestClient(app, headers={"Authorization": "Bearer test"}, follow_redirects=False)


@pytest.fixture
def client(session: Session, settings: Settings, scope: Scope) -> TestClient:
    """A browser of a user who holds every right of the register."""
    return client_of(session, settings, scope)
