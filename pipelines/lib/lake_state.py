"""What the writer tells about itself: the lake's tables, snapshots and sources, the disk by part, the budget.

One row of ``lake_state``, replaced at most each minute; one row of ``lake_history`` an hour, for growth. Numbers of
files and rows come out of the lake's catalogue; entries of the feed are counted batch by batch as they arrive.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString

import duckdb
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from pipelines.lib import loader, maintenance, storage
from pipelines.lib.errors import safe_text
from pipelines.lib.feed import Store
from pipelines.lib.workshop import Workshop

log = logging.getLogger(__name__)
EVERY_SECONDS = 60.0
DISK_EVERY_SECONDS = 600.0
HISTORY_KEPT = timedelta(days=400)
LISTED = 200

TABLES: LiteralString = """
select s.schema_name, t.table_name, coalesce(f.files, 0), coalesce(f.bytes, 0), coalesce(f.records, 0),
       coalesce(d.files, 0), coalesce(d.records, 0), t.table_id
from lake_meta.ducklake_table as t
join lake_meta.ducklake_schema as s on s.schema_id = t.schema_id and s.end_snapshot is null
left join (select table_id, count(*) as files, sum(file_size_bytes) as bytes, sum(record_count) as records
           from lake_meta.ducklake_data_file where end_snapshot is null group by table_id) as f
       on f.table_id = t.table_id
left join (select table_id, count(*) as files, sum(delete_count) as records
           from lake_meta.ducklake_delete_file where end_snapshot is null group by table_id) as d
       on d.table_id = t.table_id
where t.end_snapshot is null order by 4 desc, 1, 2
"""
# Rows and deletions that lie in the catalogue until they are flushed: each table has tables of its own for them.
INLINED: LiteralString = """
select i.table_id, i.table_name, 'end_snapshot is null', 4
from lake_meta.ducklake_inlined_data_tables as i
union all
select t.table_id, 'ducklake_inlined_delete_' || t.table_id, 'true', 6
from lake_meta.ducklake_table as t
where to_regclass('lake_meta.ducklake_inlined_delete_' || t.table_id) is not null
"""
SNAPSHOTS: LiteralString = """
select count(*), min(snapshot_time), max(snapshot_id),
       (select count(*) from lake_meta.ducklake_files_scheduled_for_deletion)
from lake_meta.ducklake_snapshot
"""
SOURCES = """
with fresh as (
    select batch_id, table_name, feed_id, recorded_at from lake.bronze.change where batch_id > ?
), tops as (
    select batch_id, greatest(?, coalesce(max(max(feed_id)) over (
        order by batch_id rows between unbounded preceding and 1 preceding), 0)) as top
    from fresh group by batch_id
)
select table_name, count(*), count(*) filter (feed_id < top), max(recorded_at), max(batch_id), max(feed_id)
from fresh join tops using (batch_id) group by table_name
"""
REFUSED = "select table_name, count(*) from lake.bronze.change where xid > ? group by table_name"


class Keeper:
    """Keeps ``lake_state``. ``level`` is how full the storage budget was when the disk was last measured."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.level: storage.Level = "normal"
        self._started = workshop.clock.now()
        self._told_at = 0.0
        self._measured: tuple[datetime, dict[str, int]] | None = None
        self._measuring: threading.Thread | None = None
        self._sources: dict[str, dict[str, Any]] | None = None
        self._upto = (0, 0)

    def tell_when_due(self, passes_since: int, failures: int) -> None:
        """Tells, if the last time is a minute ago. What fails is logged: a pass never waits for this.

        ``passes_since``: passes since the last upkeep; ``failures``: attempts that failed one after the other.
        """
        now = self.workshop.clock.now().timestamp()
        if now - self._told_at < EVERY_SECONDS:
            return
        self._told_at = now
        try:
            self.tell(passes_since, failures)
        except (duckdb.Error, psycopg.Error, OSError) as error:
            if isinstance(error, psycopg.OperationalError) and self.workshop.store.closed:
                raise  # the session with the writer's lock is gone
            log.warning("the lake's state was not told: %s", safe_text(error))

    def tell(self, passes_since: int = 0, failures: int = 0) -> dict[str, Any]:
        """Replaces the row, and gives what it holds."""
        now = self.workshop.clock.now()
        store = self.workshop.store
        before = _stored(store)
        self._measure_when_due(now)
        at, parts = self._measured or (before.get("disk", {}).get("at"), before.get("disk", {}).get("parts", {}))
        budget = storage.budget_of(self.workshop.settings, parts)
        self._warn(budget)
        watermark = loader.read_watermark(self.workshop.lake)
        built = self.workshop.lake.execute("select xid, built_at from lake.bronze.built").fetchone()
        row = store.execute("select pg_database_size(current_database())").fetchone()
        state = {
            "writer": {
                "pid": os.getpid(),
                "started_at": self._started.isoformat(),
                "passes": passes_since,
                "failures": failures,
            },
            "disk": {
                "at": at.isoformat() if isinstance(at, datetime) else at,
                "parts": parts,
                "database": int(str(row[0])) if row else 0,
                "used": budget.used,
                "limit": budget.limit,
                "free": budget.free,
                "share": round(budget.share, 4),
                "level": budget.level,
            },
            **self._catalogue(now),
            "watermark": watermark
            and {
                "xid": watermark.xid,
                "epoch": watermark.epoch_id,
                "event_at": watermark.event_at.isoformat() if watermark.event_at else None,
                "built_xid": built[0] if built else 0,
                "built_at": built[1].isoformat() if built else None,
            },
            "sources": self._read_sources(before, watermark, built[0] if built else 0),
            "upto": list(self._upto),
        }
        store.execute(
            "insert into lake_state (id, written_at, state) values (1, %s, %s)"
            " on conflict (id) do update set written_at = excluded.written_at, state = excluded.state",
            (now, Jsonb(state)),
        )
        if parts:
            self._remember(now, parts)
        return state

    def _catalogue(self, now: datetime) -> dict[str, Any]:
        with psycopg.connect(self.workshop.settings.dsn("kmis_lake"), autocommit=True) as catalogue:
            tables = _with_inlined(catalogue, catalogue.execute(TABLES).fetchall())
            row = catalogue.execute(SNAPSHOTS).fetchone()
        total, oldest, newest, waiting = row or (0, None, None, 0)
        reasons = maintenance.kept_snapshots(self.workshop.store, now)
        return {
            "tables": [
                dict(zip(("schema", "name", "files", "bytes", "rows", "delete_files", "deleted"),
                         (row[0], row[1], *(int(value) for value in row[2:7])), strict=True))
                for row in tables
            ],
            "snapshots": {
                "total": int(total),
                "oldest_at": oldest.isoformat() if oldest else None,
                "newest": newest,
                "files_to_delete": int(waiting),
                "kept": _kept(reasons),
                "pages": len({reason.snapshot for reason in reasons if reason.why == "page"}),
                "pages_since": min((r.since for r in reasons if r.why == "page"), default=now).isoformat(),
            },
        }  # fmt: skip

    def _read_sources(
        self, before: Mapping[str, Any], watermark: loader.Watermark | None, built: int
    ) -> list[dict[str, Any]]:
        lake = self.workshop.lake
        if self._sources is None:
            self._sources = {source["table"]: {**source, "refused": 0} for source in before.get("sources", [])}
            upto = before.get("upto") or [0, 0]
            self._upto = (int(upto[0]), int(upto[1]))
        if watermark is None or (watermark.batch_id, watermark.feed_id) < self._upto:
            # The lake was made anew, or put back.
            self._sources, self._upto = {}, (0, 0)
        for table, entries, late, last_at, batch, top in lake.execute(SOURCES, list(self._upto)).fetchall():
            known = self._sources.setdefault(table, {"table": table, "entries": 0, "late": 0, "refused": 0})
            known["entries"] += entries
            known["late"] += late
            known["last_at"] = last_at.isoformat()
            self._upto = (max(self._upto[0], batch), max(self._upto[1], top))
        behind = watermark is not None and built < watermark.xid
        # A pass that failed leaves bronze ahead of the models: these entries are received and in no figure.
        refused = dict(lake.execute(REFUSED, [built]).fetchall()) if behind else {}
        for table, known in self._sources.items():
            known["refused"] = refused.get(table, 0)
        return sorted(self._sources.values(), key=lambda source: str(source["table"]))

    def _measure_when_due(self, now: datetime) -> None:
        busy = self._measuring is not None and self._measuring.is_alive()
        if busy or (self._measured and (now - self._measured[0]).total_seconds() < DISK_EVERY_SECONDS):
            return
        self._measuring = threading.Thread(target=self._measure, name="disk", daemon=True)
        self._measuring.start()
        # A small home is measured at once; a large one goes on while passes are made.
        self._measuring.join(0.02)

    def _measure(self) -> None:
        try:
            self._measured = (self.workshop.clock.now(), storage.measure(self.workshop.settings))
        except OSError as error:
            log.warning("the disk was not measured: %s", type(error).__name__)

    def _warn(self, budget: storage.Budget) -> None:
        if budget.level != self.level and budget.level != "normal":
            tell = log.error if budget.level == "critical" else log.warning
            tell("%.0f %% of the storage budget is used: %s of %s bytes, %s free on the disk",
                 100 * budget.share, budget.used, budget.limit, budget.free)  # fmt: skip
        self.level = budget.level

    def _remember(self, now: datetime, parts: Mapping[str, int]) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0)
        store = self.workshop.store
        noted = store.execute(
            "insert into lake_history (at, parts) values (%s, %s) on conflict (at) do nothing", (hour, Jsonb(parts))
        ).rowcount
        if noted:
            store.execute("delete from lake_history where at < %s", (now - HISTORY_KEPT,))


def _with_inlined(catalogue: psycopg.Connection[Any], tables: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """The tables with the rows and deletions that lie in the catalogue added to those in files."""
    found = {row[-1]: list(row) for row in tables}
    for table_id, name, condition, place in catalogue.execute(INLINED).fetchall():
        if table_id in found:
            counted = catalogue.execute(
                sql.SQL("select count(*) from lake_meta.{} where {}").format(sql.Identifier(name), sql.SQL(condition))
            ).fetchone()
            found[table_id][place] += counted[0] if counted else 0
    return list(found.values())


def _kept(reasons: Sequence[maintenance.Kept]) -> list[dict[str, Any]]:
    named = [reason for reason in reasons if reason.why != "page"]
    return [
        {"snapshot": r.snapshot, "why": r.why, "what": r.what, "who": r.who, "since": r.since.isoformat()}
        for r in sorted(named, key=lambda reason: -reason.snapshot)[:LISTED]
    ]


def _stored(store: Store) -> Mapping[str, Any]:
    row = store.execute("select state from lake_state").fetchone()
    return row[0] if row and isinstance(row[0], dict) else {}
