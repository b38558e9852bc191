"""The table ``published`` as the query service reads it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from kmis.clock import FixedClock
from kmis.query import SnapshotUnknown
from kmis.query.published import PostgresPublished
from kmis.settings import Settings
from tests.kmis.query.conftest import NOON

SNAPSHOT = 900_000_001  # far from the snapshots that other tests of this run publish


@pytest.fixture
def published(settings: Settings) -> Iterator[PostgresPublished]:
    with psycopg.connect(settings.dsn("kmis_owner"), autocommit=True) as connection:
        epoch = connection.execute(
            "insert into feed_epoch (system_identifier, reason) values ('1', 'test') returning id"
        ).fetchone()
        assert epoch is not None
        connection.execute(
            "insert into published (snapshot_id, epoch_id, watermark_xid, event_at, published_at, duration_ms, state,"
            " reconciliation, serve_file) values (%s, %s, 77, %s, %s, 5, 'published', %s, '1.duckdb')",
            (SNAPSHOT, epoch[0], NOON, NOON, '{"state": "ok"}'),
        )
        reader = PostgresPublished(settings, FixedClock(NOON + timedelta(seconds=30)))
        yield reader
        reader.close()
        connection.execute("delete from published where snapshot_id = %s", (SNAPSHOT,))
        connection.execute("delete from feed_epoch where id = %s", (epoch[0],))


def test_a_published_snapshot_is_read_with_its_age_and_state(published: PostgresPublished) -> None:
    found = published.by_snapshot(SNAPSHOT)
    assert (found.snapshot_id, found.watermark, found.event_at) == (SNAPSHOT, 77, NOON)
    assert (found.age_seconds, found.state, found.reconciliation_state) == (30.0, "published", "ok")
    assert published.current() == found
    with pytest.raises(SnapshotUnknown):
        published.by_snapshot(1 + SNAPSHOT)


def test_a_reconciliation_that_differs_is_seen_within_a_second(
    published: PostgresPublished, settings: Settings
) -> None:
    clock = FixedClock(NOON)
    reader = PostgresPublished(settings, clock)
    assert reader.by_snapshot(SNAPSHOT).reconciled
    with psycopg.connect(settings.dsn("kmis_owner"), autocommit=True) as connection:
        connection.execute("update published set state = 'different' where snapshot_id = %s", (SNAPSHOT,))
    assert reader.by_snapshot(SNAPSHOT).reconciled
    clock.at += timedelta(seconds=1)
    assert not reader.by_snapshot(SNAPSHOT).reconciled
    reader.close()


def test_a_connection_that_was_ended_is_opened_again(published: PostgresPublished, settings: Settings) -> None:
    clock = FixedClock(NOON)
    reader = PostgresPublished(settings, clock)
    reader.by_snapshot(SNAPSHOT)
    connection = reader._connection
    assert connection is not None
    connection.close()
    clock.at += timedelta(seconds=1)
    assert reader.by_snapshot(SNAPSHOT).watermark == 77
    reader.close()
