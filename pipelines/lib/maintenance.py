"""Upkeep of the lake by its writer: few large files, no snapshot that nobody needs, no file without a snapshot."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import duckdb

from kmis.backup.journal import PIN
from pipelines.lib import feed_months
from pipelines.lib.errors import safe_text
from pipelines.lib.feed import Store
from pipelines.lib.syncing import sync_files
from pipelines.lib.tidying import tidy
from pipelines.lib.workshop import Workshop

# A table is compacted after so many passes that wrote to it, a few tables in each pass: compacting all of them takes as
# long as several passes, for which every figure would wait.
PASSES = 40
AT_ONCE = 3
AT_ONCE_SECONDS = 0.5
# An open page keeps its snapshot through a drill; pages live shorter than this.
KEPT_FOR = timedelta(days=1)
# Where the storage budget runs out, a page that is older than this may be told to begin anew.
KEPT_FOR_WHEN_TIGHT = timedelta(hours=1)
COMPACTION = (
    "call ducklake_flush_inlined_data('lake', schema_name => '{schema}', table_name => '{table}')",
    "call ducklake_rewrite_data_files('lake', '{table}', schema => '{schema}', delete_threshold => {share})",
    "call ducklake_merge_adjacent_files('lake', '{table}', schema => '{schema}'{small})",
)
# In between, a file is rewritten when a fifth of its rows are deleted, and only files of up to 1 MB are merged: old
# files stay for a day, and to write a large one anew for each few rows took 40 MB a minute at 5 acts a second.
THOROUGH = {"share": "0.0", "small": ""}
IN_PASSING = {"share": "0.2", "small": ", max_file_size => 1000000"}
KEPT = """
select snapshot_id, 'pin' as why, reason as what, pinned_by as who, pinned_at as since from snapshot_pin
where released_at is null
union all
select snapshot_id, 'unload', product, id::text, created_at from unload_log
where status in ('waiting', 'running', 'ready')
union all
select snapshot_id, 'page', '', '', published_at from published where published_at > %s
union all
(select snapshot_id, 'page', '', '', published_at from published where published_at <= %s order by id desc limit 1)
union all
(select snapshot_id, 'newest', '', '', published_at from published order by id desc limit 1)
"""
# Schema and name.
Table = tuple[str, str]
Why = Literal["pin", "unload", "page", "newest"]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot and one reason for keeping it; ``what`` and ``who`` say which pin or which unload."""

    snapshot: int
    why: Why
    what: str
    who: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was done: files before and after, snapshots expired, files deleted, months of the feed dropped."""

    files_before: int
    files_after: int
    expired: int
    deleted: int
    failed: tuple[str, ...] = ()
    months: tuple[str, ...] = ()


class Wear:
    """How many passes have written to each table of the lake since it was compacted."""

    def __init__(self) -> None:
        self._passes: Counter[Table] = Counter()

    @property
    def most(self) -> int:
        """The passes that wrote to the most worn table."""
        return max(self._passes.values(), default=0)

    def wrote(self, tables: Iterable[Table]) -> None:
        """A pass has written to these."""
        self._passes.update(tables)

    def due(self) -> list[Table]:
        """The most worn of the tables that should be compacted, at most AT_ONCE."""
        return [table for table, passes in self._passes.most_common(AT_ONCE) if passes >= PASSES]

    def mended(self, table: Table) -> None:
        """It has been compacted."""
        del self._passes[table]


def compact_worn(workshop: Workshop, wear: Wear) -> None:
    """Compacts some of the tables that are due."""
    started = time.monotonic()
    for table in wear.due():
        compact_table(workshop, table, IN_PASSING)
        wear.mended(table)
        if time.monotonic() - started > AT_ONCE_SECONDS:
            break


def compact(workshop: Workshop) -> Upkeep:
    """Compacts every table; those that DuckLake failed to compact are named in ``failed``."""
    before = _files(workshop)
    tables = workshop.lake.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'lake' order by all"
    ).fetchall()
    failed = [".".join(table) for table in tables if not compact_table(workshop, table, THOROUGH)]
    return Upkeep(before, _files(workshop), 0, 0, tuple(failed))


def compact_table(workshop: Workshop, table: Table, how: Mapping[str, str]) -> bool:
    """Flushes inlined rows to files, rewrites files with deleted rows, merges small files. Figures do not change.

    False where DuckLake fails: the log tells, and the table stays as it was.
    """
    schema, name = table
    try:
        for step in COMPACTION:
            _durably(workshop, step.format(schema=schema, table=name, **how))
    except duckdb.Error as error:
        log.error("%s.%s was not compacted: %s", schema, name, safe_text(error))
        return False
    return True


def _durably(workshop: Workshop, statement: str) -> None:
    """One step of compaction: its files are on disk before the catalogue names them in place of the old ones."""
    connection = workshop.lake
    connection.begin()
    try:
        if connection.execute(statement).fetchall():
            sync_files(workshop.settings.lake_dir)
        workshop.ensure_lock()
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def kept_snapshots(store: Store, now: datetime, recent: timedelta | None = None) -> Sequence[Kept]:
    """Every reason for which a snapshot is kept; pages count that may have been opened within ``recent``.

    So does the newest of before: it was shown until the first of these was published.
    """
    since = now - (KEPT_FOR if recent is None else recent)
    rows = store.execute(KEPT, (since, since)).fetchall()
    return [Kept(int(str(row[0])), row[1], str(row[2] or ""), str(row[3] or ""), row[4]) for row in rows]  # type: ignore[arg-type]  # the columns of KEPT


def expire(workshop: Workshop, *, tight: bool = False) -> Upkeep:
    """Expires snapshots that no pin, unload, recent page or backup names, and deletes files a day after that.

    ``tight``: the storage budget is used up; pages count as open for an hour only, and files go after an hour. While
    a backup is made they stay for the day even so: it copies the files that its moment names.
    """
    before = _files(workshop)
    connection = workshop.lake
    now = workshop.clock.now()
    recent = KEPT_FOR_WHEN_TIGHT if tight else KEPT_FOR
    reasons = kept_snapshots(workshop.store, now, recent)
    keep = {kept.snapshot for kept in reasons}
    files = KEPT_FOR if any(kept.why == "pin" and kept.what == PIN for kept in reasons) else recent
    known = [
        int(row[0])
        for row in connection.execute(
            "select snapshot_id from ducklake_snapshots('lake') where snapshot_time < ? order by snapshot_id",
            [now - recent],
        ).fetchall()
    ]
    newest = connection.execute("select max(snapshot_id) from ducklake_snapshots('lake')").fetchone()
    gone = [snapshot for snapshot in known if snapshot not in keep and newest and snapshot != newest[0]]
    if gone:
        versions = ", ".join(str(snapshot) for snapshot in gone)
        connection.execute(f"call ducklake_expire_snapshots('lake', versions => [{versions}])")
    deleted = connection.execute(
        "call ducklake_cleanup_old_files('lake', older_than => ?::timestamptz)", [now - files]
    ).fetchall()
    # Files that no catalogue row names: a crash between writing and committing leaves them.
    orphans = connection.execute(
        "call ducklake_delete_orphaned_files('lake', older_than => ?::timestamptz)", [now - KEPT_FOR]
    ).fetchall()
    return Upkeep(before, _files(workshop), len(gone), len(deleted) + len(orphans))


def keep_house(workshop: Workshop) -> tuple[str, ...]:
    """The night's work beside the lake: partitions of the feed made and dropped, everything else within its bounds.

    Gives the months that were dropped.
    """
    now = workshop.clock.now()
    workshop.store.execute("select kmis_feed_partitions(%s)", (now,))
    months = feed_months.drop_old(workshop)
    for month in months:
        log.info("month %s of the feed was dropped: bronze holds it", month)
    tidied = tidy(workshop.settings, workshop.store, now)
    log.info("tidied: %s", tidied)
    return tuple(months)


def _files(workshop: Workshop) -> int:
    row = workshop.lake.execute(
        "select coalesce(sum(file_count + delete_file_count), 0) from ducklake_table_info('lake')"
    ).fetchone()
    return int(row[0]) if row else 0
