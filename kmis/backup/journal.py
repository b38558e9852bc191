"""What the store remembers of backups: the table ``backup_run``, the pin of the snapshot, one backup at a time.

A store that has not been migrated yet has no such table; then nothing is noted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import psycopg

from kmis.backup.errors import BackupError
from kmis.backup.restic import Kept, Saved
from kmis.settings import Settings

Kind = Literal["backup", "restore_test", "restore", "upgrade"]

# Backups are made each night; a night and two hours without one is told on the status page.
TOO_OLD = timedelta(hours=26)
# Any constant does, as long as it is the same in every release: it names the right to make a backup.
BACKUP_LOCK = 0x4B4D4953_42414355
PIN = "backup"
_LONGEST = 500


@dataclass
class Run:
    """One row of ``backup_run`` (``id`` None: the store has no such table), finished by ``done`` or ``failed``."""

    connection: psycopg.Connection
    id: int | None

    def done(self, restic_snapshot: str | None, snapshot_id: int | None, saved: Saved | None = None) -> None:
        """It ended well."""
        sizes = (saved.bytes, saved.added, saved.files) if saved else (None, None, None)
        if self.id is not None:
            self.connection.execute(
                "update backup_run set state = 'done', finished_at = clock_timestamp(), restic_snapshot = %s,"
                " snapshot_id = %s, bytes = %s, added_bytes = %s, files = %s where id = %s",
                (restic_snapshot, snapshot_id, *sizes, self.id),
            )

    def failed(self, reason: str) -> None:
        """It ended with an error, told in one line."""
        if self.id is not None:
            self.connection.execute(
                "update backup_run set state = 'failed', finished_at = clock_timestamp(), error = %s where id = %s",
                (" ".join(reason.split())[:_LONGEST], self.id),
            )


@contextlib.contextmanager
def open_run(settings: Settings, kind: Kind, repository: str) -> Iterator[Run]:
    """A run on record while the block works; an error of the block is noted. Raises BackupError when one runs."""
    with psycopg.connect(settings.dsn("kmis_owner"), autocommit=True) as connection:
        row = connection.execute("select pg_try_advisory_lock(%s)", (BACKUP_LOCK,)).fetchone()
        if not row or not row[0]:
            raise BackupError("another backup, restore or upgrade of this installation is running")
        _settle(connection)
        run = Run(connection, begin(connection, kind, repository))
        try:
            yield run
        except Exception as error:
            run.failed(str(error) if isinstance(error, BackupError) else type(error).__name__)
            raise


def begin(connection: psycopg.Connection, kind: Kind, repository: str) -> int | None:
    """A new row; None when the store has no such table."""
    if not _known(connection):
        return None
    row = connection.execute(
        "insert into backup_run (kind, repository) values (%s, %s) returning id", (kind, repository)
    ).fetchone()
    return int(row[0]) if row else None


def used_before(connection: psycopg.Connection, repository: str) -> bool:
    """Whether a backup was made into the repository of that name."""
    return (
        _known(connection)
        and connection.execute(
            "select from backup_run where kind = 'backup' and state = 'done' and repository = %s limit 1", (repository,)
        ).fetchone()
        is not None
    )


def settle_restored(connection: psycopg.Connection, run_id: int | None, backup: Kept, snapshot_id: int | None) -> None:
    """After a restore: the backup that was being made when its rows were read is known to have ended well."""
    if _known(connection):
        connection.execute(
            "update backup_run set state = 'done', finished_at = greatest(started_at, %s), restic_snapshot = %s,"
            " snapshot_id = %s where id = %s and state = 'running'",
            (backup.made_at, backup.id, snapshot_id, run_id),
        )
    _settle(connection)


@contextlib.contextmanager
def pinned(connection: psycopg.Connection) -> Iterator[None]:
    """Keeps the newest published snapshot from expiry while the block works."""
    row = connection.execute(
        "insert into snapshot_pin (snapshot_id, reason, pinned_by) select snapshot_id, %s, 'backup' from published"
        " order by id desc limit 1 returning id",
        (PIN,),
    ).fetchone()
    try:
        yield
    finally:
        if row is not None:
            connection.execute("delete from snapshot_pin where id = %s", (row[0],))


def _settle(connection: psycopg.Connection) -> None:
    """What processes that are gone have left: the caller holds the lock, so nobody works on it."""
    connection.execute("delete from snapshot_pin where reason = %s and released_at is null", (PIN,))
    if _known(connection):
        connection.execute(
            "update backup_run set state = 'failed', finished_at = clock_timestamp(), error = 'it was interrupted'"
            " where state = 'running'"
        )


def _known(connection: psycopg.Connection) -> bool:
    row = connection.execute("select to_regclass('public.backup_run')").fetchone()
    return bool(row and row[0])
