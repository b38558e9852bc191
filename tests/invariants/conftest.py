"""A small demonstration district with the real project and the real lake, shared by the tests of the invariants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from kmis.clock import SystemClock
from kmis.postgres import admin_connection, ensure_server
from kmis.query import QueryService, Scope
from kmis.settings import Settings
from operational import demo
from operational.migrate import migrate
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.passes import Passes
from pipelines.lib.project import Project, compile_project
from pipelines.lib.workshop import Workshop, open_workshop
from tests.pipelines.conftest import own_settings

DATABASE = "kmis_invariants"


@dataclass
class District:
    """The installation, its writer, and the scope of the whole region."""

    settings: Settings
    workshop: Workshop
    project: Project
    passes: Passes
    scope: Scope

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.settings.dsn("kmis_owner"))

    def service(self) -> QueryService:
        return QueryService(self.settings)


@pytest.fixture(scope="module")
def district(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    own = own_settings(settings, tmp_path_factory.mktemp("invariants"), DATABASE)
    ensure_server(own)
    migrate(own)
    demo.load(own, population=300, years=1, seed=7)
    with psycopg.connect(own.dsn("kmis_owner")) as connection:
        organisations = frozenset(int(row[0]) for row in connection.execute("select id from organisation"))
    with open_workshop(own, SystemClock()) as workshop:
        project = compile_project(DbtRunner(own, workshop.instance))
        passes = Passes(workshop, project)
        passes.refresh()
        yield District(own, workshop, project, passes, Scope(1, organisations, show_identifiers=True))
    with admin_connection(settings) as connection:
        connection.execute(f'drop database "{DATABASE}" with (force)')
