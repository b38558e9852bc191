"""Upgrading in place: backup, migrations, rebuilt models, reconciliation; on failure the former state again.

A copy of the database stands beside it while the release is changed: backing out is a change of names on the same
server, so nothing acknowledged is lost and the feed goes on. The lake's files need no copy: none is changed, and none
is deleted within a day of its last snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from kmis import serving, supervisor, unfinished
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
    unfinished.refuse(settings, but="upgrade")
    was_up = supervisor.supervisor_pid(settings) is not None
    server = None if settings.database_url else EmbeddedServer(settings)
    if server is not None:
        server.start()
    if database.exists(settings, copy_name(settings)):
        raise BackupError(
            f"an upgrade was interrupted and left the database {copy_name(settings)}: `kmis upgrade --back-out` goes"
            " back to it and sets aside what is there now; to keep what is there now instead, drop it"
        )
    # Without a copy there is nothing to go back to: it was interrupted before its first change, or after its last.
    unfinished.clear(settings)
    made = make_backup(settings, lambda step: told(f"backup: {step}")) if backup else None
    told("stopping")
    supervisor.stop(settings)
    if server is not None:
        server.start()
    step = "copy of the database"
    unfinished.mark(settings, "upgrade")
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
    unfinished.clear(settings)
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


def back_out(settings: Settings, *, keep: bool = False) -> str | None:
    """Puts the copy in the database's place, removes serving files of snapshots that it does not know.

    Safe to repeat at whatever line it ended. ``keep``: what was there instead stays under the name that is given back;
    people may have worked in it. Raises BackupError while the installation is up or where nothing was interrupted.
    """
    unfinished.refuse(settings, but="upgrade")
    if supervisor.supervisor_pid(settings) is not None:
        raise BackupError("this installation is up: stop it first with `kmis down`")
    if not settings.database_url:
        EmbeddedServer(settings).start()
    aside = None
    copied = database.exists(settings, copy_name(settings))
    if not copied and unfinished.begun(settings) is None:
        raise BackupError("no upgrade of this installation was interrupted")
    if copied:
        if not keep:
            database.drop(settings, settings.database)
        elif database.exists(settings, settings.database):
            aside = f"{settings.database}_backed_out_{datetime.now(UTC):%Y%m%d%H%M%S}"
            database.rename(settings, settings.database, aside)
        database.rename(settings, copy_name(settings), settings.database)
    _former(settings)
    unfinished.clear(settings)
    return aside


def _former(settings: Settings) -> None:
    """The store's roles and rights as this release wants them, and no serving file that it does not know."""
    bootstrap(settings)
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        row = connection.execute("select max(snapshot_id) from published").fetchone()
    newest = int(row[0]) if row and row[0] is not None else 0
    if settings.serve_dir.exists():
        serving.remove(
            settings.serve_dir, [number for number in serving.snapshots(settings.serve_dir) if number > newest]
        )
