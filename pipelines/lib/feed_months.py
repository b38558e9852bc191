"""Months of the change feed: proved by the nightly verification, dropped by the writer when they are old.

A month is proved when bronze, read back, holds what the feed holds of it, table by table. It is dropped when it is
older than the setting and bronze, read again, still holds the same; the function in the store checks its own side.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import duckdb
import psycopg

from pipelines.lib.errors import PassRefused, safe_text
from pipelines.lib.feed import Store
from pipelines.lib.loader import read_watermark
from pipelines.lib.workshop import Workshop

log = logging.getLogger(__name__)
MONTH = "date_trunc('month', recorded_at at time zone 'UTC')::date"
DIGEST = "('0x' || left(md5(concat(new_row, old_row)), 8))::bigint"


@dataclass(frozen=True, slots=True)
class Sums:
    """What was read of some entries: how many, the sum of their keys, of their images, and the newest key."""

    entries: int
    keys: int
    digest: int
    last: int


def dropped_months(store: Store) -> dict[date, tuple[int, int, int]]:
    """Months whose partition is gone: entries, newest key and digest as they were verified."""
    rows = store.execute(
        "select month, entries, last_feed_id, digest from feed_month where dropped_at is not null"
    ).fetchall()
    return {_day(row[0]): (int(str(row[1])), int(str(row[2])), int(str(row[3]))) for row in rows}


def remember(store: Store, proved: Mapping[date, Sequence[Sums]], snapshot: int, now: datetime) -> list[date]:
    """Notes the months that were proved whole: ended, and without an entry beyond those that were read."""
    noted = []
    for month, parts in sorted(proved.items()):
        entries, last = sum(part.entries for part in parts), max(part.last for part in parts)
        row = store.execute(
            "select count(*) from change_feed where recorded_at >= %(month)s::timestamp at time zone 'UTC'"
            " and recorded_at < (%(month)s::timestamp + interval '1 month') at time zone 'UTC'",
            {"month": month},
        ).fetchone()
        ended = month < date(now.year, now.month, 1)
        if not ended or row is None or row[0] != entries:
            continue
        store.execute(
            "insert into feed_month (month, entries, last_feed_id, digest, verified_at, snapshot_id)"
            " values (%s, %s, %s, %s, %s, %s) on conflict (month) do update set entries = excluded.entries,"
            " last_feed_id = excluded.last_feed_id, digest = excluded.digest, verified_at = excluded.verified_at,"
            " snapshot_id = excluded.snapshot_id where feed_month.dropped_at is null",
            (month, entries, last, sum(part.digest for part in parts), now, snapshot),
        )
        noted.append(month)
    return noted


def bronze_month(connection: duckdb.DuckDBPyConnection, month: date) -> tuple[int, int, int]:
    """Entries, newest key and digest of one month, read from bronze's files."""
    row = connection.execute(
        f"select count(*), coalesce(max(feed_id), 0), coalesce(sum({DIGEST}), 0) from lake.bronze.change"
        " where recorded_at >= ?::timestamp at time zone 'UTC'"
        " and recorded_at < (?::timestamp + interval '1 month') at time zone 'UTC' and feed_id > 0",
        [month, month],
    ).fetchone()
    return (0, 0, 0) if row is None else (int(row[0]), int(row[1]), int(row[2]))


def drop_old(workshop: Workshop) -> list[str]:
    """Drops the proved months that are older than the setting; gives their names. What is refused waits a night."""
    rows = workshop.store.execute(
        "select m.month, m.entries, m.last_feed_id, m.digest from feed_month as m join pg_class as c"
        " on c.relname = 'change_feed_' || to_char(m.month, 'YYYY_MM') and c.relispartition"
        " where m.dropped_at is null and m.month < date_trunc('month', %s, 'UTC') - make_interval(months => %s)"
        " order by m.month",
        (workshop.clock.now(), workshop.settings.feed_keep_months),
    ).fetchall()
    gone = []
    for month, *known in rows:
        if bronze_month(workshop.lake, _day(month)) != tuple(int(str(value)) for value in known):
            log.error("month %s of the feed stays: bronze does not hold what was verified", month)
            continue
        try:
            workshop.store.execute("select kmis_drop_feed_month(%s)", (month,))
        except (psycopg.errors.LockNotAvailable, psycopg.errors.CheckViolation) as error:
            log.warning("month %s of the feed stays for now: %s", month, safe_text(error))
        else:
            gone.append(f"{month:%Y-%m}")
    return gone


def refuse_gap(workshop: Workshop) -> None:
    """Raises PassRefused when the lake lacks what the feed no longer has: it was put back too far, or made anew."""
    row = workshop.store.execute("select max(last_feed_id) from feed_month where dropped_at is not null").fetchone()
    if row is None or row[0] is None:
        return
    watermark = read_watermark(workshop.lake)
    if watermark is None or watermark.feed_id < int(str(row[0])):
        raise PassRefused("the lake ends before months that the feed no longer has: restore the lake of a later backup")


def _day(value: object) -> date:
    if not isinstance(value, date):
        raise TypeError("a month is a date")
    return value
