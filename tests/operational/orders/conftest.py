"""Directories and browsers for the tests of orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session, sessionmaker

from kmis.settings import Settings
from operational.kit.access import Scope
from operational.kit.db import KmisSession, apply_scope, engine
from tests.operational.orders.factories import fill_directories
from tests.operational.stage import browser


@pytest.fixture
def directories(session: Session) -> None:
    """The tests and small directories."""
    fill_directories(session)


@pytest.fixture
def client(settings: Settings, scope: Scope, session: Session, directories: None) -> TestClient:
    """A browser of the polyclinic's user, in Russian."""
    return browser(settings, scope, session)


@pytest.fixture
def client_kk(settings: Settings, scope: Scope, session: Session, directories: None) -> TestClient:
    """The same user in Kazakh."""
    return browser(settings, scope, session, language="kk")


@pytest.fixture
def acting_in(settings: Settings, scope: Scope, session: Session) -> Callable[[int], TestClient]:
    """A browser of a user of another organisation; the session acts there from then on."""

    def act(organisation: int) -> TestClient:
        session.expunge_all()
        other = replace(
            scope, organisation_ids=frozenset({organisation}), home_organisation_id=organisation, practitioner_id=None
        )
        apply_scope(session, other)
        return browser(settings, other, session)

    return act


@pytest.fixture
def owner_session(settings: Settings, scope: Scope) -> Iterator[Session]:
    """A session of the schema's owner, who alone reads the feed; what the test does is rolled back."""
    with engine(settings, "kmis_owner").connect() as connection:
        outer = connection.begin()
        session = sessionmaker(
            connection, class_=KmisSession, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )()
        apply_scope(session, scope)
        fill_directories(session)
        yield session
        session.close()
        outer.rollback()
