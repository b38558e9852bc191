"""Feed to bronze, exactly once.

The watermark is a row of the lake, replaced in the lake transaction that appends the batch: after a crash at any
moment both are there or neither. It names server, feed epoch and transaction id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import duckdb

from pipelines.lib.errors import LakeKnowsMore, PassRefused
from pipelines.lib.feed import Pending, Source, pending, read_source
from pipelines.lib.syncing import sync_files
from pipelines.lib.workshop import Workshop


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far the lake is: the last transaction in bronze, and the newest recorded_at among its entries."""

    system_identifier: str
    epoch_id: int
    xid: int
    feed_id: int
    event_at: datetime | None
    batch_id: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """One batch appended to bronze."""

    bounds: Pending
    watermark: Watermark

    @property
    def more(self) -> bool:
        """Whether entries of before it may still wait."""
        return self.bounds.more


def read_watermark(connection: duckdb.DuckDBPyConnection) -> Watermark | None:
    """The lake's watermark; None for an empty lake."""
    row = connection.execute(
        "select system_identifier, epoch_id, xid, feed_id, event_at, batch_id from lake.bronze.watermark"
    ).fetchone()
    return None if row is None else Watermark(*row)


def check_source(source: Source, watermark: Watermark | None) -> None:
    """Refuses a store that the lake must not follow. Raises PassRefused, LakeKnowsMore."""
    if source.epoch_system_identifier != source.system_identifier:
        raise PassRefused("this server has no feed epoch: run the migrations (`kmis up` does)")
    if watermark is None:
        return
    if source.epoch_id < watermark.epoch_id:
        raise LakeKnowsMore(f"the lake is in feed epoch {watermark.epoch_id}, the store only in {source.epoch_id}")
    if source.epoch_id == watermark.epoch_id and source.system_identifier != watermark.system_identifier:
        raise PassRefused("the lake was loaded from another server in the same feed epoch")
    if watermark.xid >= source.next_xid or watermark.feed_id > source.last_feed_id:
        raise LakeKnowsMore(
            f"the lake is at transaction {watermark.xid}, entry {watermark.feed_id}; the store only at"
            f" {source.next_xid}, {source.last_feed_id}: restore the lake of the same moment, or make it anew"
        )


def load(workshop: Workshop, found: Callable[[Pending], None] | None = None) -> Loaded | None:
    """Appends the next batch to bronze. None when nothing is pending. Raises PassRefused, LakeKnowsMore.

    ``found`` is told the batch before it is appended.
    """
    source = read_source(workshop.store)
    if source is None:
        raise PassRefused("the store has no feed epoch: run the migrations (`kmis up` does)")
    before = read_watermark(workshop.lake)
    check_source(source, before)
    bounds = pending(workshop.store, before.xid if before else 0)
    if bounds is None:
        return None
    if found:
        found(bounds)
    connection = workshop.lake
    connection.begin()
    try:
        after = _append(workshop, source, before, bounds)
        sync_files(workshop.settings.lake_dir)
        workshop.ensure_lock()
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return Loaded(bounds, after)


def _append(workshop: Workshop, source: Source, before: Watermark | None, bounds: Pending) -> Watermark:
    connection = workshop.lake
    batch_id = (before.batch_id if before else 0) + 1
    query = (
        "select id as feed_id, xid::text::bigint as xid, table_name, key, operation::text as operation, actor_id,"
        " reason, recorded_at, new_row::text as new_row, old_row::text as old_row from change_feed"
        f" where xid > ''{bounds.from_xid}''::xid8 and xid <= ''{bounds.to_xid}''::xid8"
    )
    connection.execute(
        f"create or replace temp table feed_batch as select *, false as superseded, {batch_id}::bigint as batch_id"
        f" from postgres_query('store', '{query}')"
    )
    if before is not None:
        _mark_superseded(connection, before)
    connection.execute("insert into lake.bronze.change by name select * from feed_batch order by table_name, feed_id")
    row = connection.execute("select max(feed_id), max(recorded_at) from feed_batch").fetchone()
    connection.execute("drop table feed_batch")
    if row is None or row[0] is None:
        raise PassRefused("the feed's batch came out empty: the store changed under the loader")
    event_at = max(row[1], before.event_at) if before and before.event_at else row[1]
    after = Watermark(
        source.system_identifier,
        source.epoch_id,
        bounds.to_xid,
        max(row[0], before.feed_id if before else 0),
        event_at,
        batch_id,
    )
    connection.execute("delete from lake.bronze.watermark")
    connection.execute(
        "insert into lake.bronze.watermark values (?, ?, ?, ?, ?, ?, ?)",
        [after.system_identifier, after.epoch_id, after.xid, after.feed_id, after.event_at, batch_id,
         workshop.clock.now()],
    )  # fmt: skip
    return after


def _mark_superseded(connection: duckdb.DuckDBPyConnection, before: Watermark) -> None:
    """A transaction with a higher id may have changed a row before one with a lower id did, and be loaded after it.

    Its image is older than the one in bronze: it still names cells to recompute, but is no longer the row.
    """
    late = connection.execute("select min(feed_id) from feed_batch where feed_id < ?", [before.feed_id]).fetchone()
    if late is None or late[0] is None:
        return
    connection.execute(
        "update feed_batch set superseded = true from ("
        "  select c.table_name, c.key, max(c.feed_id) as feed_id from lake.bronze.change as c"
        "  where c.feed_id > ? and (c.table_name, c.key) in"
        "    (select (table_name, key) from feed_batch where feed_id < ?)"
        "  group by all) as newer"
        " where newer.table_name = feed_batch.table_name and newer.key = feed_batch.key"
        " and newer.feed_id > feed_batch.feed_id",
        [late[0], before.feed_id],
    )
