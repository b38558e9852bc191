"""The table ``unload_log``: every file that leaves the system, its criteria, snapshot, checksum and state.

A row that is waiting, running or ready keeps its snapshot from being expired, so the file can be made again
(``--as-of``). Written as ``kmis_app``; no criterion holds a person's data (``Selection`` allows none).
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from exports.order import MadeFile, Order
from kmis.query import Scope
from kmis.settings import Settings

PROGRESS_STEP = 5


class Ledger:
    """One connection to the log; use it as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._connection: psycopg.Connection[dict[str, Any]] = psycopg.connect(
            settings.dsn("kmis_app"), autocommit=True, row_factory=dict_row, connect_timeout=5
        )
        self._told = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def open(self, order: Order) -> int:
        """Enter an order as running; from now on its snapshot is kept. Returns the row's id."""
        row = self._connection.execute(
            "INSERT INTO unload_log (product, format, language, snapshot_id, criteria, user_id,"
            " organisation_ids, show_identifiers, status)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'running') RETURNING id",
            (
                order.product_id,
                order.format,
                order.language,
                order.snapshot,
                Jsonb(order.criteria()),
                order.scope.user_id or None,
                Jsonb(sorted(order.scope.organisation_ids)),
                order.scope.show_identifiers,
            ),
        ).fetchone()
        if row is None:
            raise AssertionError("INSERT … RETURNING gives one row")
        return int(row["id"])

    def take(self, entry: int) -> Order:
        """Take up a waiting order. Raises LookupError when no such order waits."""
        row = self._connection.execute(
            "UPDATE unload_log SET status = 'running' FROM app_user"
            " WHERE unload_log.id = %s AND unload_log.status = 'waiting' AND app_user.id = unload_log.user_id"
            " RETURNING unload_log.product, unload_log.format, unload_log.language, unload_log.snapshot_id,"
            " unload_log.criteria, unload_log.user_id, unload_log.organisation_ids,"
            " unload_log.show_identifiers, app_user.display_name",
            (entry,),
        ).fetchone()
        if row is None:
            raise LookupError(f"no order waits under number {entry}")
        scope = Scope(row["user_id"], frozenset(row["organisation_ids"]), row["show_identifiers"])
        return Order.from_log(row, scope)

    def progress(self, entry: int, done: int, total: int) -> None:
        """Tell the share done in percent, in steps, so that the log is not written for every batch."""
        percent = min(99, done * 100 // total) if total else 99
        if percent >= self._told + PROGRESS_STEP:
            self._told = percent
            self._connection.execute("UPDATE unload_log SET progress = %s WHERE id = %s", (percent, entry))

    def ready(self, entry: int, made: MadeFile) -> None:
        """The file is there."""
        self._connection.execute(
            "UPDATE unload_log SET status = 'ready', progress = 100, rows = %s, sha256 = %s, file_name = %s,"
            " finished_at = now() WHERE id = %s",
            (made.rows, made.sha256, made.name, entry),
        )

    def failed(self, entry: int, error: BaseException) -> None:
        """The file could not be made. Only the kind of the error is kept: its text may quote a row."""
        self._connection.execute(
            "UPDATE unload_log SET status = 'failed', error = %s, finished_at = now() WHERE id = %s",
            (type(error).__name__, entry),
        )
