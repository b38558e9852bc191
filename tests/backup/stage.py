"""Installations of their own for the tests of backups: a small synthetic region, copies of it, acts that go on."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from kmis.backup import database
from kmis.backup.restoring import Parts
from kmis.postgres import EmbeddedServer, admin_connection
from kmis.settings import Settings
from operational.migrate import migrate
from tests.factories import create_patient

STOP_TIMEOUT_S = 240
ROOT = Path(__file__).resolve().parents[2]
PARTS = Parts(migrate, lambda _: None)
# Nobody of the region is that old: no number of a person is given twice.
LONG_AGO, YEARS_AGO = date(1916, 1, 1), date(1915, 12, 31)


def quiet(_: str) -> None:
    """Nobody is told."""


def own_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of an installation, free of the settings of the test run's own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("KMIS_")}
    return own | {"KMIS_HOME": str(home)} | more


def kmis(home: Path, *words: str, cwd: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    """A command of an installation; its output is the caller's to judge."""
    return subprocess.run(
        [sys.executable, "-m", "kmis", *words], cwd=cwd, env=own_environment(home, **more), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def settings_of(home: Path, repository: Path | str | None = None) -> Settings:
    """Settings of an installation, whatever the environment says."""
    return Settings(
        home=home, database_url=None, postgres_port=0, backup_repository=None if repository is None else str(repository)
    )


def copied(source: Path, target: Path) -> Path:
    """A copy of an installation that is down; the cluster keeps its owner."""
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("dbt", "tmp", "dagster"))
    for path in (source / "postgres", *(source / "postgres").rglob("*")):
        owner = path.lstat()
        os.chown(target / path.relative_to(source), owner.st_uid, owner.st_gid, follow_symlinks=False)
    return target


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[Settings]:
    """The embedded server runs while the block works."""
    server = EmbeddedServer(settings)
    server.start()
    try:
        yield settings
    finally:
        server.stop()


@contextlib.contextmanager
def writer(settings: Settings) -> Iterator[None]:
    """The lake's writer in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "kmis", "writer"], cwd=ROOT, env=own_environment(settings.root),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(STOP_TIMEOUT_S)


@dataclass
class Acts:
    """Persons registered one after the other, each noted after its commit, until the block ends."""

    settings: Settings
    noted: list[int] = field(default_factory=list)

    def __enter__(self) -> Acts:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _go_on(self) -> None:
        with psycopg.connect(self.settings.dsn("kmis_owner")) as connection:
            owner = organisation(connection)
            while not self._stop.wait(0.05):
                born = LONG_AGO + timedelta(days=len(self.noted))
                key = create_patient(connection, owner, birth_date=born, sex="M")
                connection.commit()
                self.noted.append(key)


def organisation(connection: psycopg.Connection) -> int:
    """A polyclinic of the region."""
    row = connection.execute("select min(id) from organisation where kind = 'polyclinic'").fetchone()
    assert row is not None and row[0] is not None
    return int(row[0])


def act(settings: Settings) -> int:
    """One more person is registered; the transaction id of the feed's entry."""
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        row = connection.execute("select count(*) from patient").fetchone()
        born = YEARS_AGO - timedelta(days=row[0] if row else 0)
        create_patient(connection, organisation(connection), birth_date=born, sex="M")
        connection.commit()
        row = connection.execute("select xid::text::bigint from change_feed order by id desc limit 1").fetchone()
    assert row is not None
    return int(row[0])


def fingerprint(settings: Settings) -> dict[str, str]:
    """Rows and their digest of every table of the store and of the lake's catalogue."""
    found = {}
    with admin_connection(settings, settings.database) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname in ('public', 'lake_meta')"
        ).fetchall()
        for schema, name in tables:
            row = connection.execute(
                sql.SQL(
                    "select count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from {} as t"
                ).format(sql.Identifier(schema, name))
            ).fetchone()
            assert row is not None
            found[f"{schema}.{name}"] = str(row[0])
    return found


def schema_of(settings: Settings, folder: Path) -> list[str]:
    """The definitions of the store with owners, rights, policies and triggers, as pg_dump writes them.

    The lake's catalogue, which the writer goes on changing, is told by the owners of its tables.
    """
    file = folder / f"{settings.root.name}.sql"
    database._run(settings, "pg_dump", "--schema-only", "--schema=public", f"--file={file}")
    # The first and last line name a random key; an epoch shifts the feed's transaction ids.
    skipped = ("\\restrict", "\\unrestrict", "ALTER TABLE ONLY public.change_feed ALTER COLUMN xid")
    # A chain of AND is written with other brackets once it has been read back.
    lines = [
        line.translate({40: None, 41: None}) for line in file.read_text().splitlines()
        if not line.startswith(skipped) and "pg_current_xact_id" not in line
    ]  # fmt: skip
    with admin_connection(settings, settings.database) as connection:
        owners = connection.execute("select distinct tableowner from pg_tables where schemaname = 'lake_meta'")
        return [*lines, *(str(row[0]) for row in owners.fetchall())]


__all__ = [
    "PARTS",
    "ROOT",
    "Acts",
    "act",
    "copied",
    "fingerprint",
    "kmis",
    "organisation",
    "own_environment",
    "quiet",
    "running",
    "schema_of",
    "settings_of",
    "writer",
]
