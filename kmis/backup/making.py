"""Making a backup while everything runs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime

from kmis import unfinished
from kmis.backup import database, journal
from kmis.backup.errors import BackupError, PointBroken, RepositoryMissing
from kmis.backup.key import address, repository
from kmis.backup.point import DUMP, FOLDER, KEPT, MANIFEST, Manifest, fixed, missing, named, needed_files, read_point
from kmis.backup.products import figures_at
from kmis.backup.restic import Progress, Repository, Saved, without_credentials
from kmis.postgres import server_running
from kmis.settings import Settings


@dataclass(frozen=True, slots=True)
class Made:
    """A backup: what was saved, the published snapshot that it holds, older backups removed.

    ``noted``: it stands in ``backup_run``.
    """

    saved: Saved
    repository: str
    snapshot_id: int | None
    removed: int
    noted: bool


def make_backup(settings: Settings, told: Progress, *, new_repository: bool | None = None) -> Made:
    """Saves database and files as one consistent point, then removes backups beyond the settings.

    A repository that is not there is made where none was used before; always with ``new_repository`` True, never with
    False. Raises BackupError with the reason, which stands in ``backup_run`` too; PointBroken when files that the
    database names could not be saved (what was saved is kept then).
    """
    unfinished.refuse(settings)
    place = without_credentials(address(settings))
    with (
        server_running(settings),
        journal.open_run(settings, "backup", place) as run,
        journal.pinned(run.connection),
    ):
        store = repository(settings)
        _open(store, run, told, new_repository)
        folder = settings.root / FOLDER
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            told("database")
            with fixed(settings) as (connection, name):
                manifest = read_point(connection, run.id)
                needed = needed_files(connection)
                database.dump(settings, name, settings.root / DUMP)
            told("figures")
            _add_products(settings, manifest)
            manifest.write(settings.root / MANIFEST)
            parts = [part for part in (FOLDER, *KEPT) if (settings.root / part).exists()]
            tags = [f"published-{manifest.snapshot_id}", f"schema-{manifest.revision}"]
            saved = store.save(settings.root, parts, tags, lambda share: told(f"files {share}"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        told("comparing")
        lost = missing(needed, store.files(saved.id))
        if lost:
            raise PointBroken(f"{named(lost)} that the database names could not be saved; the rest is in {saved.id}")
        told("removing old backups")
        removed = store.forget(settings.backup_keep_daily, settings.backup_keep_weekly, settings.backup_keep_monthly)
        run.done(saved.id, manifest.snapshot_id, saved)
    return Made(saved, store.name, manifest.snapshot_id, removed, run.id is not None)


def _open(store: Repository, run: journal.Run, told: Progress, new: bool | None) -> None:
    """A backup disk that is not mounted must not become a new repository on the disk below it."""
    try:
        store.open()
    except RepositoryMissing:
        if new is None and journal.used_before(run.connection, store.name):
            raise BackupError(
                f"there is no repository at {store.name}, though backups were made there: is the disk mounted?"
                " To begin a new one: `kmis backup --new-repository`"
            ) from None
        if new is False:
            raise
        told(f"new repository {store.name}")
        store.make()


def _add_products(settings: Settings, manifest: Manifest) -> None:
    if manifest.snapshot_id is not None:
        today = datetime.now(UTC).astimezone(settings.zone).date()
        manifest.products = figures_at(settings, manifest.snapshot_id, today)
