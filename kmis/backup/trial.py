"""The tested restore: the newest backup, restored beside the installation on a server of its own, and asked."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

from kmis import unfinished
from kmis.backup import journal
from kmis.backup.errors import BackupError
from kmis.backup.key import address, key_file, repository
from kmis.backup.restic import Progress, Repository, without_credentials
from kmis.backup.restoring import Parts, Restored, Wanted, choose, restore
from kmis.postgres import EmbeddedServer, server_running
from kmis.settings import Settings

# Besides the newest backup, which is read whole, a share of the older ones: all of them within half a year of weeks.
READ = "4%"
# The restored database is bigger than its dump: indexes.
SPARE = 1.5


@dataclass(frozen=True, slots=True)
class Trial:
    """What the test asks of a restored installation: a pass to the figures, then both sides compared."""

    refresh: Callable[[Settings], None]
    reconcile: Callable[[Settings], None]


def try_restore(settings: Settings, parts: Parts, trial: Trial, told: Progress) -> Restored:
    """Restores the newest backup into a temporary home, refreshes and reconciles it, and removes it.

    Raises BackupError with what did not hold; both outcomes stand in ``backup_run``.
    """
    unfinished.refuse(settings)
    name = without_credentials(address(settings))
    with server_running(settings), journal.open_run(settings, "restore_test", name) as run:
        store = repository(settings)
        store.open()
        _room(settings, store)
        told("checking the repository")
        store.check(READ)
        home = settings.root / "tmp" / "restore-test"
        place = settings.model_copy(
            update={"home": home, "database_url": None, "postgres_port": 0, "backup_repository": None}
        )
        try:
            _remove(place)
            result = restore(place, Wanted(store.place, key_file(settings)), parts, told)
            told("refresh")
            trial.refresh(place)
            told("reconcile")
            trial.reconcile(place)
        finally:
            _remove(place)
        run.done(result.backup.id, result.manifest.snapshot_id)
    return result


def _room(settings: Settings, store: Repository) -> None:
    """Raises BackupError where the copy would fill the disk under the installation."""
    needed, free = store.size(choose(store, None).id), shutil.disk_usage(settings.root).free
    if needed * SPARE > free:
        raise BackupError(
            f"the test needs {needed * SPARE / 1e9:.1f} GB beside the installation, {free / 1e9:.1f} are free"
        )


def _remove(place: Settings) -> None:
    EmbeddedServer(place).stop()
    shutil.rmtree(place.root, ignore_errors=True)
