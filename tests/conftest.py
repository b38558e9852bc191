"""The stage for every test: one embedded PostgreSQL per run, built from the migrations, rolled back per test."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from kmis.postgres import EmbeddedServer, admin_connection, ensure_server
from kmis.settings import Settings, get_settings
from operational.kit.access import Scope
from operational.kit.db import KmisSession, apply_scope, engine
from operational.migrate import migrate


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """An installation of its own in a temporary folder: server, roles, schema."""
    with tempfile.TemporaryDirectory(prefix="kmis-test-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / "home"
        os.environ["KMIS_HOME"] = str(home)
        get_settings.cache_clear()
        settings = get_settings()
        ensure_server(settings)
        migrate(settings)
        yield settings
        if settings.database_url:
            with admin_connection(settings) as connection:
                connection.execute(f'drop database "{settings.database}" with (force)')
        else:
            EmbeddedServer(settings).stop()


@pytest.fixture(scope="session")
def world(settings: Settings) -> dict[str, int]:
    """Two organisations with a department, a doctor and a site each, committed once per run.

    Keys: region, polyclinic, other, department, other_department, practitioner, role, other_practitioner,
    other_role, room, other_room, site, other_site, user, other_user.
    """
    from tests.factories import make_world

    return make_world(settings)


@pytest.fixture
def scope(world: dict[str, int]) -> Scope:
    """A user of the polyclinic who may do everything there."""
    from operational.domains.identity.roles import role_definitions

    return Scope(
        user_id=world["user"],
        organisation_ids=frozenset({world["polyclinic"]}),
        permissions=frozenset(right for role in role_definitions().values() for right in role.permissions),
        login="test",
        display_name="Test",
        practitioner_id=world["practitioner"],
        home_organisation_id=world["polyclinic"],
    )


@pytest.fixture
def session(settings: Settings, scope: Scope) -> Iterator[Session]:
    """A session as kmis_app in the polyclinic's scope; what the test does is rolled back."""
    yield from rolled_back(settings, scope)


def rolled_back(settings: Settings, scope: Scope) -> Iterator[Session]:
    """A session inside an outer transaction that never commits."""
    with engine(settings).connect() as connection:
        outer = connection.begin()
        maker = sessionmaker(
            connection, class_=KmisSession, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )
        session = maker()
        apply_scope(session, scope)
        try:
            yield session
        finally:
            session.close()
            outer.rollback()
