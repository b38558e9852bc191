"""An installation with a lake of its own, a small dbt project, and what writes visits into it."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kmis.clock import SystemClock
from kmis.postgres import admin_connection, bootstrap, ensure_server
from kmis.settings import Settings
from operational.migrate import migrate
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.passes import Passes
from pipelines.lib.project import Project, compile_project
from pipelines.lib.workshop import Workshop, open_workshop
from tests.factories import create_encounter, create_patient, make_world

PROJECT = Path(__file__).parent / "project"
_numbers = itertools.count(1)
_compiled: list[Project] = []
START = datetime(2024, 1, 10, 4, 0, tzinfo=UTC)


@dataclass
class Installation:
    """A store with a world in it. Visits are written as the owner of the schema: the triggers are the same."""

    settings: Settings
    world: dict[str, int]
    patient: int
    visits: list[int] = field(default_factory=list)

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.settings.dsn("kmis_owner"))

    def visit(self, connection: psycopg.Connection[Any] | None = None, days: int = 0, **values: Any) -> int:
        """Writes a visit; commits it unless a connection is given."""
        at = START + timedelta(days=days)
        if connection is not None:
            key = create_encounter(connection, self.world, self.patient, at, **values)
        else:
            with self.connect() as own:
                key = create_encounter(own, self.world, self.patient, at, **values)
        self.visits.append(key)
        return key

    def change(self, statement: str, *parameters: Any) -> None:
        with self.connect() as connection:
            connection.execute(statement, parameters)

    def value(self, statement: str, *parameters: Any) -> Any:
        """One value, asked as kmis_writer."""
        with psycopg.connect(self.settings.dsn("kmis_writer")) as connection:
            row = connection.execute(statement, parameters).fetchone()
        return None if row is None else row[0]


@dataclass(frozen=True)
class Template:
    """A migrated database with a world, copied for each test."""

    database: str
    world: dict[str, int]
    patient: int


def own_settings(settings: Settings, home: Path, database: str) -> Settings:
    """An installation beside the given one on the same server: its secrets, its own folder and database."""
    if not (home / "secrets").exists():
        shutil.copytree(settings.secrets_dir, home / "secrets")
    url = settings.admin_url().set(database=database).render_as_string(hide_password=False)
    return Settings(home=home, database_url=url)


@pytest.fixture(scope="session")
def template(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    name = "kmis_lake_template"
    own = own_settings(settings, tmp_path_factory.mktemp("template"), name)
    with admin_connection(settings) as connection:
        connection.execute(f'create database "{name}" owner kmis_owner template template0')
    ensure_server(own)
    migrate(own)
    world = make_world(own)
    with psycopg.connect(own.dsn("kmis_owner")) as connection:
        patient = create_patient(connection, world["polyclinic"])
    yield Template(name, world, patient)
    with admin_connection(settings) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def installation(settings: Settings, template: Template, tmp_path: Path) -> Iterator[Installation]:
    """A database, a lake and a world of its own on the run's server."""
    name = f"kmis_lake_{next(_numbers)}"
    own = own_settings(settings, tmp_path / "home", name)
    with admin_connection(settings) as connection:
        connection.execute(f'create database "{name}" owner kmis_owner template "{template.database}"')
    bootstrap(own)
    yield Installation(own, template.world, template.patient)
    with admin_connection(settings) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def workshop(installation: Installation) -> Iterator[Workshop]:
    with open_workshop(installation.settings, SystemClock()) as workshop:
        yield workshop


@pytest.fixture
def project(installation: Installation, workshop: Workshop) -> Project:
    """The small project; compiled once, since the compiled SQL names no installation."""
    if not _compiled:
        _compiled.append(compile_project(DbtRunner(installation.settings, workshop.instance, PROJECT)))
    return _compiled[0]


@pytest.fixture
def passes(workshop: Workshop, project: Project) -> Passes:
    return Passes(workshop, project)


def rows(workshop: Workshop, statement: str) -> list[tuple[Any, ...]]:
    return workshop.lake.execute(statement).fetchall()
