"""Upkeep of the lake by its writer: few large files, no snapshot that nobody needs, no file without a snapshot."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

import duckdb

from pipelines.lib.errors import safe_text
from pipelines.lib.syncing import sync_files
from pipelines.lib.workshop import Workshop

PASSES = 50
FILES = 200
# An open page keeps its snapshot through a drill; pages live shorter than this.
KEPT_FOR = timedelta(days=1)
COMPACTION = (
    "call ducklake_flush_inlined_data('lake', schema_name => '{schema}', table_name => '{table}')",
    "call ducklake_rewrite_data_files('lake', '{table}', schema => '{schema}', delete_threshold => 0.0)",
    "call ducklake_merge_adjacent_files('lake', '{table}', schema => '{schema}')",
)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was done: files before and after, snapshots expired, files deleted."""

    files_before: int
    files_after: int
    expired: int
    deleted: int
    failed: tuple[str, ...] = ()


def is_due(workshop: Workshop, passes_since: int) -> bool:
    """Whether files should be compacted now."""
    return passes_since >= PASSES or (passes_since > 0 and most_files(workshop) >= FILES)


def most_files(workshop: Workshop) -> int:
    """The number of data and delete files of the table that has most of them."""
    row = workshop.lake.execute(
        "select coalesce(max(file_count + delete_file_count), 0) from ducklake_table_info('lake')"
    ).fetchone()
    return int(row[0]) if row else 0


def compact(workshop: Workshop) -> Upkeep:
    """Flushes inlined rows to files, rewrites files with deleted rows, merges small files. Figures do not change.

    A table that DuckLake fails to compact is named in the log and in ``failed``; it stays as it was.
    """
    before = _files(workshop)
    connection = workshop.lake
    failed: list[str] = []
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'lake' order by all"
    ).fetchall()
    for schema, table in tables:
        try:
            for step in COMPACTION:
                connection.execute(step.format(schema=schema, table=table))
        except duckdb.Error as error:
            log.error("%s.%s was not compacted: %s", schema, table, safe_text(error))
            failed.append(f"{schema}.{table}")
    sync_files(workshop.settings.lake_dir)
    return Upkeep(before, _files(workshop), 0, 0, tuple(failed))


def expire(workshop: Workshop) -> Upkeep:
    """Expires snapshots that no pin, unload, recent page or backup names, and deletes files a day after that."""
    before = _files(workshop)
    connection = workshop.lake
    now = workshop.clock.now()
    keep = {
        int(str(row[0]))
        for row in workshop.store.execute(
            "select snapshot_id from snapshot_pin where released_at is null"
            " union select snapshot_id from unload_log where status in ('waiting', 'running', 'ready')"
            " union select snapshot_id from published where published_at > %s"
            " union (select snapshot_id from published order by id desc limit 1)",
            (now - KEPT_FOR,),
        ).fetchall()
    }
    known = [
        int(row[0])
        for row in connection.execute(
            "select snapshot_id from ducklake_snapshots('lake') where snapshot_time < ? order by snapshot_id",
            [now - KEPT_FOR],
        ).fetchall()
    ]
    newest = connection.execute("select max(snapshot_id) from ducklake_snapshots('lake')").fetchone()
    gone = [snapshot for snapshot in known if snapshot not in keep and newest and snapshot != newest[0]]
    if gone:
        versions = ", ".join(str(snapshot) for snapshot in gone)
        connection.execute(f"call ducklake_expire_snapshots('lake', versions => [{versions}])")
    deleted = connection.execute(
        "call ducklake_cleanup_old_files('lake', older_than => ?::timestamptz)", [now - KEPT_FOR]
    ).fetchall()
    orphans = connection.execute(
        "call ducklake_delete_orphaned_files('lake', older_than => ?::timestamptz)", [now - KEPT_FOR]
    ).fetchall()
    workshop.store.execute("select kmis_feed_partitions(%s)", (now,))
    return Upkeep(before, _files(workshop), len(gone), len(deleted) + len(orphans))


def _files(workshop: Workshop) -> int:
    row = workshop.lake.execute(
        "select coalesce(sum(file_count + delete_file_count), 0) from ducklake_table_info('lake')"
    ).fetchone()
    return int(row[0]) if row else 0
