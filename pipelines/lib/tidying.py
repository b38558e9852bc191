"""What grows beside the lake, kept within bounds at night: Dagster's stores, logs, spill files, old looks of gates."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kmis.settings import Settings
from pipelines.lib.feed import Store

log = logging.getLogger(__name__)
EVENTS_KEPT = timedelta(days=7)
RUNS_KEPT = timedelta(days=30)
LOOKS_KEPT = timedelta(days=30)
PASSES_KEPT = timedelta(days=90)
SPILL_KEPT = timedelta(days=1)
# Not the cache of backups and not the restored copy under test, whose files are as old as what they are copies of.
SPILLS = ("query", "writer", "checks", "region")
LOG_BYTES = 20_000_000
LOOKS = ("quality/gx/uncommitted/validations", "quality/gx/uncommitted/data_docs/local_site/validations")
# A pass reports some twenty events without a run, each written twice by Dagster: 3.1 kB.
RUNLESS = "coalesce(run_id, '') = ''"


@dataclass(frozen=True, slots=True)
class Tidied:
    """What went: events and runs of Dagster, files, log files that were turned over, rows about passes."""

    events: int
    runs: int
    files: int
    logs: int
    passes: int


def tidy(settings: Settings, store: Store, now: datetime) -> Tidied:
    """One night's tidying. Each part stands alone: what fails is logged and tried the next night."""
    counts = {"events": 0, "runs": 0, "files": 0, "logs": 0, "passes": 0}
    steps: dict[str, Callable[[], int]] = {
        "events": lambda: prune_events(settings.dagster_home, now - EVENTS_KEPT),
        "runs": lambda: prune_runs(settings.dagster_home, now - RUNS_KEPT),
        "files": lambda: (
            sum(remove_old_files(settings.root / "tmp" / place, now - SPILL_KEPT) for place in SPILLS)
            + sum(remove_old_files(settings.root / place, now - LOOKS_KEPT) for place in LOOKS)
        ),
        "logs": lambda: turn_over_logs(settings.log_dir),
        "passes": lambda: prune_passes(store, now - PASSES_KEPT),
    }
    for name, step in steps.items():
        try:
            counts[name] = step()
        except Exception as error:
            # Dagster's own database layer has errors of its own kinds; nothing here may keep figures back.
            log.warning("tidying of %s waits: %s", name, type(error).__name__)
    return Tidied(**counts)


def prune_events(home: Path, before: datetime) -> int:
    """Removes Dagster's events without a run that are older, but never the newest of an asset or a check."""
    folder, moment = home / "history" / "runs", f"{before:%Y-%m-%d %H:%M:%S}"
    gone = 0
    if (folder / "index.db").exists():
        with _opened(folder / "index.db") as index:
            gone = index.execute(
                f"delete from event_logs where {RUNLESS} and timestamp < ? and id not in"
                " (select max(id) from event_logs group by asset_key, dagster_event_type)",
                (moment,),
            ).rowcount
            index.execute(
                f"delete from asset_check_executions where {RUNLESS} and create_timestamp < ? and id not in"
                " (select max(id) from asset_check_executions group by asset_key, check_name)",
                (moment,),
            )
    # The second copy, by which Dagster reads events of one run; those without a run are read from the index.
    if (folder / ".db").exists():
        with _opened(folder / ".db") as copies:
            copies.execute("delete from event_logs where timestamp < ?", (moment,))
    return gone


def prune_runs(home: Path, before: datetime) -> int:
    """Removes Dagster's runs that ended earlier, with their events and output."""
    if not (home / "history" / "runs.db").exists():
        return 0
    # Importing Dagster takes seconds: only here, at night.
    from dagster import DagsterInstance, RunsFilter

    with DagsterInstance.from_config(str(home)) as instance:
        runs = instance.get_run_records(RunsFilter(created_before=before))
        ended = [record.dagster_run.run_id for record in runs if record.dagster_run.is_finished]
        for run in ended:
            instance.delete_run(run)
            shutil.rmtree(home / "storage" / run, ignore_errors=True)
    return len(ended)


def remove_old_files(folder: Path, before: datetime) -> int:
    """Removes files not written since; a process that still has one open keeps what it has."""
    gone = 0
    for path in folder.rglob("*") if folder.is_dir() else ():
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and path.stat().st_mtime < before.timestamp():
                path.unlink()
                gone += 1
    return gone


def turn_over_logs(folder: Path) -> int:
    """Moves what a long log holds into its second file; the part that writes it goes on writing at the end."""
    turned = 0
    for path in folder.glob("*.log") if folder.is_dir() else ():
        if path.stat().st_size > LOG_BYTES:
            shutil.copyfile(path, path.with_suffix(".log.1"))
            with path.open("r+b") as file:
                file.truncate(0)
            turned += 1
    return turned


def prune_passes(store: Store, before: datetime) -> int:
    """Removes rows about requests, passes and looks of gates that ended earlier, and old publications' details."""
    store.execute(
        "update published set reconciliation = null where published_at < %s and reconciliation is not null"
        " and id < (select max(id) from published)",
        (before,),
    )
    store.execute("delete from pass_request where finished_at < %s", (before,))
    store.execute("delete from gate_look where at < %s", (before,))
    gone = store.execute(
        "delete from lake_pass as p where p.finished_at < %s"
        " and not exists (select from pass_request as r where r.pass_id = p.id)",
        (before,),
    )
    return max(0, gone.rowcount)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(file, timeout=10)) as connection:
        with connection:
            yield connection
        free, pages = (
            int(connection.execute(f"pragma {name}").fetchone()[0]) for name in ("freelist_count", "page_count")
        )
        if free * 2 > pages:
            connection.execute("vacuum")
