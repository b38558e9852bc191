"""The change feed as the loader sees it: who the server is, which transactions are complete and not loaded.

Transaction ids are those of the feed: the server's own plus the offset of the feed epoch.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

Store = psycopg.Connection[tuple[object, ...]]

# Entries of one batch, unless one transaction alone has more: bounds memory and the lake transaction.
BATCH_ENTRIES = 2_000_000


@dataclass(frozen=True, slots=True)
class Source:
    """The server behind the feed, and how far its counters are, as the feed counts transactions."""

    system_identifier: str
    epoch_id: int
    epoch_system_identifier: str
    next_xid: int
    last_feed_id: int


@dataclass(frozen=True, slots=True)
class Pending:
    """Complete transactions that are not loaded: ``from_xid`` exclusive, ``to_xid`` inclusive.

    ``more``: the limit was reached, so that others may wait behind these.
    """

    from_xid: int
    to_xid: int
    entries: int
    more: bool = False


def read_source(store: Store) -> Source | None:
    """Who the server is; None before the first feed epoch was opened."""
    row = store.execute(
        "select (select system_identifier::text from pg_control_system()), e.id, e.system_identifier,"
        " pg_snapshot_xmax(pg_current_snapshot())::text::bigint + e.xid_offset,"
        " coalesce(pg_sequence_last_value(pg_get_serial_sequence('change_feed', 'id')), 0)"
        " from feed_epoch as e order by e.id desc limit 1"
    ).fetchone()
    if row is None:
        return None
    system_identifier, epoch_id, epoch_system, next_xid, last_feed_id = row
    return Source(str(system_identifier), _int(epoch_id), str(epoch_system), _int(next_xid), _int(last_feed_id))


def pending(store: Store, after_xid: int, limit: int = BATCH_ENTRIES) -> Pending | None:
    """The next batch: transactions beyond the watermark, older than every open one. None: nothing waits."""
    row = store.execute(
        "with complete as (select"
        "   (pg_snapshot_xmin(pg_current_snapshot())::text::bigint + e.xid_offset)::text::xid8 as xid"
        "   from feed_epoch as e order by e.id desc limit 1),"
        " head as (select f.xid from change_feed as f, complete as c"
        "   where f.xid > %(after)s::text::xid8 and f.xid < c.xid order by f.xid, f.id limit %(limit)s)"
        " select max(xid)::text::bigint, count(*), count(*) >= %(limit)s from head",
        {"after": str(after_xid), "limit": limit},
    ).fetchone()
    if row is None or row[0] is None:
        return None
    return Pending(after_xid, _int(row[0]), _int(row[1]), bool(row[2]))


def oldest_transaction(store: Store) -> tuple[int, str] | None:
    """Session and id of the oldest open transaction that writes: it keeps the watermark back. None: nobody."""
    row = store.execute(
        "select pid, transactionid::text from pg_locks where locktype = 'transactionid' and granted"
        " and mode = 'ExclusiveLock' and pid <> pg_backend_pid() order by age(transactionid) desc limit 1"
    ).fetchone()
    return None if row is None or row[0] is None else (_int(row[0]), str(row[1]))


def _int(value: object) -> int:
    return int(str(value))
