"""Reads the table ``published``: which snapshot of the lake readers see. Nothing else decides that."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import psycopg
from psycopg.rows import dict_row

from kmis.clock import Clock
from kmis.query.contract import Published
from kmis.query.errors import NothingPublished, SnapshotUnknown
from kmis.settings import Settings

_COLUMNS = "SELECT snapshot_id, watermark_xid, event_at, published_at, state, reconciliation, serve_file FROM published"
_NEWEST = _COLUMNS + " ORDER BY id DESC LIMIT 1"
_BY_SNAPSHOT = _COLUMNS + " WHERE snapshot_id = %(snapshot)s ORDER BY id DESC LIMIT 1"


class PublishedSource(Protocol):
    """Where published snapshots are read. Raises NothingPublished and SnapshotUnknown."""

    def current(self) -> Published: ...

    def by_snapshot(self, snapshot_id: int) -> Published: ...


@dataclass(frozen=True, slots=True)
class _Held:
    published: Published
    read_at: datetime


class PostgresPublished:
    """The table ``published`` of the operational store, read as ``kmis_app`` over one connection.

    A row is held for half a second, so that the many figures of a page cost one read; no longer, since a
    reconciliation changes its state after publication.
    """

    HOLD_SECONDS = 0.5
    HELD_SNAPSHOTS = 64

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._held: OrderedDict[int | None, _Held] = OrderedDict()

    def current(self) -> Published:
        """The newest published snapshot."""
        found = self._read(None, _NEWEST, {})
        if found is None:
            raise NothingPublished
        return found

    def by_snapshot(self, snapshot_id: int) -> Published:
        """The published snapshot of that number."""
        found = self._read(snapshot_id, _BY_SNAPSHOT, {"snapshot": snapshot_id})
        if found is None:
            raise SnapshotUnknown
        return found

    def close(self) -> None:
        """Ends the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _read(self, snapshot_id: int | None, sql: str, parameters: Mapping[str, object]) -> Published | None:
        with self._lock:
            now = self._clock.now()
            held = self._held.pop(snapshot_id, None)
            if held is None or not 0 <= (now - held.read_at).total_seconds() < self.HOLD_SECONDS:
                row = self._row(sql, parameters)
                if row is None:
                    return None
                held = _Held(_published(row), now)
            self._held[snapshot_id] = held
            while len(self._held) > self.HELD_SNAPSHOTS:
                self._held.popitem(last=False)
            return self._aged(held.published)

    def _aged(self, published: Published) -> Published:
        return replace(published, age_seconds=max(0.0, (self._clock.now() - published.published_at).total_seconds()))

    def _row(self, sql: str, parameters: Mapping[str, object]) -> dict[str, Any] | None:
        """One row. A connection that the server has ended since the last read is opened again, once."""
        for last_try in (False, True):
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(
                    self._settings.dsn("kmis_app"), autocommit=True, row_factory=dict_row, connect_timeout=5
                )
            try:
                return self._connection.execute(sql, parameters).fetchone()
            except psycopg.OperationalError:
                self._connection.close()
                if last_try:
                    raise
        raise AssertionError("unreachable")


def _published(row: Mapping[str, Any]) -> Published:
    reconciliation = row["reconciliation"] or {}
    if isinstance(reconciliation, str):
        reconciliation = json.loads(reconciliation)
    return Published(
        snapshot_id=int(row["snapshot_id"]),
        watermark=int(row["watermark_xid"]),
        event_at=row["event_at"],
        published_at=row["published_at"],
        age_seconds=0.0,
        state=str(row["state"]),
        reconciliation=reconciliation,
        serve_file=row["serve_file"],
    )
