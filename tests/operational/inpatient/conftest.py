"""The hospital of the tests, and a browser in front of the test's own transaction."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.kit.access import Scope
from tests.operational.inpatient.factories import Hospital, create_hospital
from tests.operational.stage import browser


@pytest.fixture
def hospital(session: Session, world: dict[str, int]) -> Hospital:
    return create_hospital(session, world)


@pytest.fixture
def client(session: Session, settings: Settings, scope: Scope, hospital: Hospital) -> TestClient:
    return browser(settings, scope, session)


@pytest.fixture
def kazakh(session: Session, settings: Settings, scope: Scope, hospital: Hospital) -> TestClient:
    return browser(settings, scope, session, language="kk")
