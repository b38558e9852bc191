"""A browser whose boards stand on a small lake."""

from __future__ import annotations

from dataclasses import replace

from fastapi.testclient import TestClient

from kmis.settings import Settings
from operational.kit.access import Scope
from tests.kmis.query import small_lake
from tests.kmis.query.conftest import Place as Lake
from tests.operational.stage import browser

JANUARY = "from=2026-01-01&to=2026-01-31"


def board_client(lake: Lake, settings: Settings, scope: Scope) -> TestClient:
    """Signed in with the rights of `scope`, for the organisations of the small lake."""
    client = browser(settings, replace(scope, organisation_ids=frozenset(small_lake.ORGANISATIONS)))
    client.app.state.query = lake.service  # type: ignore[attr-defined]  # the client's type hides the application
    return client
