"""Restoring an installation from a backup: into an empty home, or in place of what is there."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg

from kmis import supervisor, unfinished
from kmis.backup import database, journal
from kmis.backup.errors import BackupError, PointBroken
from kmis.backup.key import key_file, repository
from kmis.backup.point import DUMP, FOLDER, KEPT, Manifest, count_rows, missing, named, needed_digests, needed_files
from kmis.backup.products import compared, differing, figures_at
from kmis.backup.restic import Kept, Progress, Repository
from kmis.backup.taking_up import take_up
from kmis.postgres import EmbeddedServer, admin_connection, ensure_server
from kmis.settings import Settings

REPLACED = "replaced-"
STAGED = ".restoring-"
# A restore that was killed where there was nothing before: what is there is its own.
LEFT = ("restore", True)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a restored store needs of the parts above: its migrations, and the serving file of its publication."""

    migrate: Callable[[Settings], None]
    serve: Callable[[Settings], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which backup: the place, the key's file, restic's number (None: the newest); what may be passed over."""

    place: str | None = None
    key: Path | None = None
    snapshot: str | None = None
    replace: bool = False
    accept_missing: bool = False


@dataclass
class Restored:
    """What was restored and compared, and where the state before lies, if there was one.

    ``silent``: products that gave no figures at the backup or now.
    """

    backup: Kept
    repository: str
    manifest: Manifest
    tables: int = 0
    rows: int = 0
    files: int = 0
    products: int = 0
    silent: int = 0
    taken_up: int = 0
    lost: list[str] = field(default_factory=list)
    aside: str | None = None


def choose(store: Repository, snapshot: str | None) -> Kept:
    """The backup of that number, or the newest. Raises BackupError."""
    kept = store.kept()
    if not kept:
        raise BackupError(f"the repository {store.name} holds no backup")
    if snapshot is None:
        return kept[-1]
    found = [entry for entry in kept if entry.id.startswith(snapshot) or snapshot.startswith(entry.id)]
    if not found:
        raise BackupError(f"the repository {store.name} holds no backup {snapshot}: `kmis backup list` shows them")
    return found[-1]


def restore(settings: Settings, wanted: Wanted, parts: Parts, told: Progress) -> Restored:
    """Restores and compares; the embedded server is left running. On any error the home is as it was before.

    Raises BackupError: the installation runs, the home is not empty, the key is another one, the repository is
    damaged, files are missing, counts or figures differ.
    """
    _take_away_leavings(settings)
    check_target(settings, wanted.replace)
    fresh_home = not settings.root.exists()
    staged = settings.root / f"{STAGED}{secrets.token_hex(4)}"
    try:
        return _restore(settings, wanted, parts, told, staged)
    except BaseException:
        if not wanted.replace:
            _remove(_children(settings))
        if fresh_home and settings.root.exists():
            # Not where backing out has failed: its mark stands there.
            with contextlib.suppress(OSError):
                settings.root.rmdir()
        raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _restore(settings: Settings, wanted: Wanted, parts: Parts, told: Progress, staged: Path) -> Restored:
    key = (wanted.key or key_file(settings)).expanduser()
    store = repository(settings, wanted.place, key)
    store.open()
    chosen = choose(store, wanted.snapshot)
    key_text = key.read_text()
    settings.root.mkdir(parents=True, exist_ok=True, mode=0o755)
    told(f"files of {chosen.id}, made {chosen.made_at:%Y-%m-%d %H:%M} UTC")
    store.restore(chosen.id, staged)
    manifest = Manifest.read(staged / FOLDER / "manifest.json")
    result = Restored(chosen, store.name, manifest)
    with _in_place_of(settings, result, staged, replace=wanted.replace):
        for part in KEPT:
            if (staged / part).exists():
                (staged / part).rename(settings.root / part)
        settings.secrets_dir.mkdir(exist_ok=True, mode=0o700)
        key_file(settings).touch(mode=0o600)
        key_file(settings).write_text(key_text)
        told("database")
        ensure_server(settings)
        database.fill(settings, staged / DUMP)
        told("comparing rows and files")
        _compare(settings, result, accept_missing=wanted.accept_missing)
        _begin_anew(settings, result, parts, told)
        told("figures")
        parts.serve(settings)
        _compare_products(settings, result)
        _note(settings, result)
    return result


def _take_away_leavings(settings: Settings) -> None:
    """What a restore that was killed has left: all of it where there was nothing before, else only its files."""
    found = unfinished.begun(settings)
    if found == LEFT:
        if settings.database_url:
            database.drop(settings, settings.database)
        else:
            EmbeddedServer(settings).stop()
        _remove(_children(settings))
        unfinished.clear(settings)
    elif settings.root.exists() and supervisor.supervisor_pid(settings) is None:
        _remove(settings.root.glob(f"{STAGED}*"))


def check_target(settings: Settings, replace: bool) -> None:
    """Raises BackupError where a restore would meet a running installation or somebody's data."""
    if supervisor.supervisor_pid(settings) is not None:
        raise BackupError("this installation is up: stop it first with `kmis down`")
    unfinished.refuse(settings, but="restore")
    if replace or unfinished.begun(settings) == LEFT:
        return
    if _children(settings):
        raise BackupError(
            f"{settings.root} is not empty: set KMIS_HOME to an empty folder, or replace what is there with --replace"
        )
    if settings.database_url and not database.is_empty(settings):
        raise BackupError(f"the database {settings.database} is not empty: name another one, or use --replace")


@contextlib.contextmanager
def _in_place_of(settings: Settings, result: Restored, staged: Path, *, replace: bool) -> Iterator[None]:
    """Sets aside what is there; on an error of the block what was restored goes and the former comes back."""
    stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    aside = settings.root / f"{REPLACED}{stamp}"
    former = f"{settings.database}_replaced_{stamp}"
    before = [path for path in _children(settings) if path != staged] if replace else []
    embedded = None if settings.database_url else EmbeddedServer(settings)
    renamed = embedded is None and replace and database.exists(settings, settings.database)
    unfinished.mark(settings, "restore", fresh=not replace)
    if embedded is not None:
        embedded.stop()
    elif renamed:
        database.rename(settings, settings.database, former)
    if before:
        aside.mkdir(mode=0o755)
        result.aside = str(aside)
    for path in before:
        path.rename(aside / path.name)
    try:
        yield
    except BaseException:
        if embedded is not None:
            embedded.stop()
        else:
            database.drop(settings, settings.database)
        if renamed:
            database.rename(settings, former, settings.database)
        _remove(path for path in _children(settings) if path != staged)
        for path in before:
            (aside / path.name).rename(path)
        if before:
            aside.rmdir()
        unfinished.clear(settings)
        raise
    unfinished.clear(settings)


def _children(settings: Settings) -> list[Path]:
    if not settings.root.exists():
        return []
    own = (unfinished.NAME,)
    return sorted(
        path for path in settings.root.iterdir() if path.name not in own and not path.name.startswith(REPLACED)
    )


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _compare(settings: Settings, result: Restored, *, accept_missing: bool) -> None:
    with admin_connection(settings, settings.database) as connection:
        counts = count_rows(connection)
        needed = needed_files(connection)
        digests = needed_digests(connection)
    other = sorted(
        name for name in counts.keys() | result.manifest.counts.keys()
        if counts.get(name) != result.manifest.counts.get(name)
    )  # fmt: skip
    if other:
        raise PointBroken(f"the restored database differs from the backup's counts: {', '.join(other)}")
    result.tables, result.rows, result.files = len(counts), sum(counts.values()), len(needed)
    sizes = {path: (settings.root / path).stat().st_size for path in needed if (settings.root / path).is_file()}
    lost = missing(needed, sizes)
    lost += [path for path, digest in digests.items() if path not in lost and _other(settings.root / path, digest)]
    result.lost = lost
    if lost and not accept_missing:
        raise PointBroken(
            f"{named(lost)} that the restored database names are missing or damaged;"
            " choose an older backup, or restore without them: --accept-missing"
        )


def _other(file: Path, digest: str) -> bool:
    """A made file that was removed before the backup is nobody's loss; one with other content is."""
    if not file.is_file():
        return False
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() != digest


def _begin_anew(settings: Settings, result: Restored, parts: Parts, told: Progress) -> None:
    """The restored store goes on: a new feed epoch before anything is written, then the migrations of this release."""
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        journal.settle_restored(connection, result.manifest.run_id, result.backup, result.manifest.snapshot_id)
        _open_epoch(connection, result.manifest)
    with admin_connection(settings, settings.database) as connection:
        result.taken_up = take_up(settings, connection)
    told("migrations")
    parts.migrate(settings)
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        _open_epoch(connection, result.manifest)


def _open_epoch(connection: psycopg.Connection, manifest: Manifest) -> None:
    """Once: a store older than epochs has the function only after its migrations."""
    row = connection.execute(
        "select to_regprocedure('public.kmis_open_epoch(text)') is not null, (select max(id) from feed_epoch)"
    ).fetchone()
    if row is not None and row[0] and row[1] == manifest.epoch_id:
        connection.execute("select kmis_open_epoch('restore')")


def _compare_products(settings: Settings, result: Restored) -> None:
    before, snapshot = result.manifest.products, result.manifest.snapshot_id
    if not before or snapshot is None or result.lost:
        return
    after = figures_at(settings, snapshot, date.fromisoformat(before["day"]))
    other = differing(before, after)
    if other:
        raise PointBroken(f"figures differ from those at the backup, snapshot {snapshot}: {', '.join(other)}")
    result.products = len(compared(before, after))
    result.silent = len(before["figures"]) - result.products


def _note(settings: Settings, result: Restored) -> None:
    with journal.open_run(settings, "restore", result.repository) as run:
        run.done(result.backup.id, result.manifest.snapshot_id)
