"""Upgrading in place: backup, migrations, rebuilt models, reconciliation; on failure the former state again.

A copy of the database stands beside it while the release is changed: backing out is a change of names on the same
server, so nothing acknowledged is lost and the feed goes on. The lake's files need no copy: none is changed, and none
is deleted within a day of its last snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from kmis import supervisor
from kmis.backup import database, journal
from kmis.backup.errors import BackupError
from kmis.backup.making import Made, make_backup
from kmis.backup.restic import Progress, without_credentials
from kmis.postgres import EmbeddedServer, bootstrap
from kmis.settings import Settings


class UpgradeFailed(BackupError):
    """The upgrade did not work and was backed out."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What an upgrade does with the parts above: each raises with its reason when it fails."""

    migrate: Callable[[Settings], None]
    build: Callable[[Settings], None]
    reconcile: Callable[[Settings], None]
    start: Callable[[Settings], None]


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The backup that was made before, and whether the installation was up and is again."""

    backup: Made | None
    started: bool


def copy_name(settings: Settings) -> str:
    """The name of the copy that an upgrade keeps until it has ended well."""
    return f"{settings.database}_before_upgrade"


def upgrade(settings: Settings, steps: Steps, told: Progress, *, backup: bool = True) -> Upgraded:
    """Brings the store and the lake to this release. Raises UpgradeFailed after backing out, BackupError before."""
    was_up = supervisor.supervisor_pid(settings) is not None
    server = None if settings.database_url else EmbeddedServer(settings)
    if server is not None:
        server.start()
    if database.exists(settings, copy_name(settings)):
        raise BackupError(
            f"an upgrade was interrupted and left the database {copy_name(settings)}: `kmis upgrade --back-out` goes"
            " back to it; to keep what is there now instead, drop it"
        )
    made = make_backup(settings, lambda step: told(f"backup: {step}")) if backup else None
    told("stopping")
    supervisor.stop(settings)
    if server is not None:
        server.start()
    step = "copy of the database"
    try:
        told(step)
        database.copy(settings, copy_name(settings))
        for step, work in (("migrate", steps.migrate), ("build", steps.build), ("reconcile", steps.reconcile)):
            told(step)
            work(settings)
    except BaseException as error:
        told("backing out")
        back_out(settings)
        if not isinstance(error, Exception):
            raise
        reason = str(error) if isinstance(error, RuntimeError) else type(error).__name__
        raise UpgradeFailed(
            f"the upgrade failed in step {step} ({' '.join(reason.split())[:300]}); it was backed out: data and schema"
            " are those of before. Go back to the former release and start it"
        ) from error
    database.drop(settings, copy_name(settings))
    with psycopg.connect(settings.dsn("kmis_owner"), autocommit=True) as connection:
        place = without_credentials(settings.backup_repository or "")
        if made is not None and not made.noted:
            journal.Run(connection, journal.begin(connection, "backup", place)).done(
                made.saved.id, made.snapshot_id, made.saved
            )
        run = journal.Run(connection, journal.begin(connection, "upgrade", place))
        run.done(made.saved.id if made else None, made.snapshot_id if made else None)
    if was_up:
        told("starting")
        steps.start(settings)
    elif server is not None:
        server.stop()
    return Upgraded(made, was_up)


def back_out(settings: Settings) -> None:
    """Puts the copy in the database's place, removes serving files of snapshots that it does not know."""
    if not settings.database_url:
        EmbeddedServer(settings).start()
    if not database.exists(settings, copy_name(settings)):
        return
    database.drop(settings, settings.database)
    database.rename(settings, copy_name(settings), settings.database)
    bootstrap(settings)
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        row = connection.execute("select max(snapshot_id) from published").fetchone()
    newest = int(row[0]) if row and row[0] is not None else 0
    for file in settings.serve_dir.glob("*.duckdb") if settings.serve_dir.exists() else ():
        if file.stem.isdigit() and int(file.stem) > newest:
            file.unlink()
