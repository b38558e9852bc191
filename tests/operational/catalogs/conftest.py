"""All directories of the installation in one transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session, sessionmaker

from kmis.settings import Settings
from operational.domains.catalogs.loader import load_catalogs
from operational.kit.access import Scope
from operational.kit.db import KmisSession, apply_scope, engine


def driver(connection: Connection) -> psycopg.Connection[Any]:
    """The psycopg connection below."""
    return cast(psycopg.Connection[Any], connection.connection.driver_connection)


@pytest.fixture(scope="module")
def loaded(settings: Settings, world: dict[str, int]) -> Iterator[Connection]:
    """A connection of the owner that sees all directories; ``world`` comes first, it holds some of their codes."""
    with engine(settings, "kmis_owner").connect() as connection:
        outer = connection.begin()
        connection.execute(text("select 1"))  # the driver's transaction begins here, so the load is a part of it
        load_catalogs(driver(connection))
        for table in ("icd10", "service", "medicine"):
            connection.execute(text(f"analyze {table}"))
        yield connection
        outer.rollback()


@pytest.fixture
def directories(loaded: Connection) -> Iterator[Session]:
    """A session on that connection; what a test changes is taken back."""
    maker = sessionmaker(loaded, class_=KmisSession, join_transaction_mode="create_savepoint")
    inner = loaded.begin_nested()
    session = maker()
    apply_scope(session, Scope.nobody())
    yield session
    session.close()
    inner.rollback()
