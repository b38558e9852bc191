"""An installation with the few models of the pipelines' tests, in a database of its own, and a user named doctor."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from kmis.clock import SystemClock
from kmis.postgres import admin_connection, ensure_server
from kmis.settings import Settings
from operational.migrate import migrate
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.project import Project, compile_project
from pipelines.lib.workshop import open_workshop
from tests.factories import create_patient, make_world
from tests.pipelines.conftest import PROJECT, Installation, own_settings

DATABASE = "kmis_bench"


@pytest.fixture(scope="module")
def installation(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    own = own_settings(settings, tmp_path_factory.mktemp("bench"), DATABASE)
    with admin_connection(settings) as connection:
        connection.execute(f'create database "{DATABASE}" owner kmis_owner template template0')
    ensure_server(own)
    migrate(own)
    world = make_world(own)
    with psycopg.connect(own.dsn("kmis_owner")) as connection:
        patient = create_patient(connection, world["polyclinic"])
        connection.execute("update app_user set login = 'doctor' where id = %s", (world["user"],))
    yield Installation(own, world, patient)
    with admin_connection(settings) as connection:
        connection.execute(f'drop database "{DATABASE}" with (force)')


@pytest.fixture(scope="module")
def project(installation: Installation) -> Project:
    with open_workshop(installation.settings, SystemClock()) as workshop:
        return compile_project(DbtRunner(installation.settings, workshop.instance, PROJECT))
