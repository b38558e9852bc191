"""Owns DuckDB: one instance per process, a bounded pool of cursors, the lake, and the serving files.

A query names its tables through ``Tables``, which picks the serving file that the snapshot names for the table and
the lake at that version otherwise. Every query is bounded in threads and memory (instance) and in time (query).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from kmis import serving
from kmis.query.errors import (
    LakeUnavailable,
    QueryError,
    QueryFailed,
    QueryTooLong,
    ServiceBusy,
    SnapshotUnknown,
)
from kmis.settings import Settings

Attach = Callable[[duckdb.DuckDBPyConnection, Settings], None]
Parameters = Mapping[str, Any]


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Limits:
    """Bounds of one process. Times in seconds."""

    threads: int = 2
    memory: str = "2GB"
    queries_at_once: int = 4
    unloads_at_once: int = 2
    wait_seconds: float = 20.0
    query_seconds: float = 30.0
    unload_seconds: float = 1800.0
    serving_files: int = 4


@dataclass
class _Serving:
    """A snapshot's files by table, how many queries hold them, and the tables as a query names them."""

    files: dict[str, Path]
    tables: dict[str, str]
    users: int = 0


@dataclass(frozen=True)
class Tables:
    """The tables of one snapshot."""

    snapshot_id: int
    serving: Mapping[str, str]
    known: frozenset[str]

    def has(self, table: str) -> bool:
        """True when the snapshot can be asked for the table (an aggregate may not be built)."""
        return table in self.serving or table in self.known

    def source(self, table: str) -> str:
        """The table as an SQL table reference without an alias."""
        if table in self.serving:
            return self.serving[table]
        # in brackets, since the grammar of DuckDB takes no alias after AT
        return f"(FROM lake.marts.{quoted(table)} AT (VERSION => {int(self.snapshot_id)}))"


@dataclass
class Store:
    """The DuckDB instance. ``attach`` must attach the lake read-only as ``lake`` and set the time zone."""

    settings: Settings
    attach: Attach
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._instance: duckdb.DuckDBPyConnection | None = None
        self._free: queue.LifoQueue[duckdb.DuckDBPyConnection] = queue.LifoQueue()
        self._turns = threading.BoundedSemaphore(self.limits.queries_at_once)
        # unloads wait for each other, so that they never take the pages' turns
        self._unload_turns = threading.BoundedSemaphore(self.limits.unloads_at_once)
        self._serving: dict[int, _Serving] = {}
        # The alias under which a file is attached; snapshots share the files of tables that did not change.
        self._attached: dict[Path, str] = {}
        self._known: dict[int, frozenset[str]] = {}

    def close(self) -> None:
        """Ends the instance; running queries fail."""
        with self._lock:
            while not self._free.empty():
                self._free.get_nowait().close()
            if self._instance is not None:
                self._instance.close()
                self._instance = None
            self._serving.clear()
            self._attached.clear()
            self._known.clear()

    @contextmanager
    def tables(self, snapshot_id: int) -> Iterator[Tables]:
        """The tables of a snapshot; its serving files stay attached while the block runs."""
        held = self._lease(snapshot_id)
        try:
            yield Tables(snapshot_id, held.tables if held else {}, self._tables_of(snapshot_id))
        finally:
            if held:
                with self._lock:
                    held.users -= 1
                self._drop_unused()

    def fetch(self, sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
        """All rows of a query. Raises QueryTooLong, ServiceBusy."""
        with self._cursor(self._turns, self.limits.query_seconds) as cursor:
            return cursor.execute(sql, parameters).fetchall()

    @contextmanager
    def batches(self, sql: str, parameters: Parameters, batch_rows: int) -> Iterator[Any]:
        """A query as a ``pyarrow.RecordBatchReader`` that is read while the query runs."""
        with self._cursor(self._unload_turns, self.limits.unload_seconds) as cursor:
            yield cursor.execute(sql, parameters).to_arrow_reader(batch_rows)

    @contextmanager
    def _cursor(self, turns: threading.Semaphore, seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
        if not turns.acquire(timeout=self.limits.wait_seconds):
            raise ServiceBusy
        try:
            free = self._free
            cursor = self._take()
            watch = threading.Timer(seconds, cursor.interrupt)
            watch.daemon = True
            watch.start()
            try:
                yield cursor
            except duckdb.Error as error:
                raise self._refusal(error) from None
            finally:
                watch.cancel()
                # a timer that fired late must not stop the next query of this cursor
                watch.join()
                free.put(cursor)
        finally:
            turns.release()

    def _refusal(self, error: duckdb.Error) -> QueryError:
        """The error as a refusal. A text that could hold a value of a row is not passed on."""
        if isinstance(error, duckdb.InterruptException):
            return QueryTooLong()
        # After a fatal error, as when the catalogue's server dies while it answers, an instance answers no more.
        if isinstance(error, duckdb.IOException | duckdb.FatalException | duckdb.InternalException):
            self._forget_instance()
            return LakeUnavailable()
        if isinstance(error, duckdb.InvalidInputException) and "No snapshot found" in str(error):
            return SnapshotUnknown()
        if isinstance(error, duckdb.BinderException | duckdb.CatalogException | duckdb.ParserException):
            return QueryFailed(str(error))
        return QueryFailed(type(error).__name__)

    def _forget_instance(self) -> None:
        """Lets the next query attach the lake anew: the catalogue's server may have been started again."""
        with self._lock:
            self._free = queue.LifoQueue()
            self._instance = None
            self._serving.clear()
            self._attached.clear()

    def _take(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if not self._free.empty():
                return self._free.get_nowait()
            cursor = self._open().cursor()
        # a setting of a session, which a cursor does not inherit
        cursor.execute("SET TimeZone = $zone", {"zone": self.settings.timezone})
        return cursor

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._instance is None:
            spill = self.settings.root / "tmp" / "query"
            spill.mkdir(parents=True, exist_ok=True, mode=0o700)
            instance = duckdb.connect(
                ":memory:",
                config={
                    "threads": self.limits.threads,
                    "memory_limit": self.limits.memory,
                    "temp_directory": str(spill),
                    "temp_file_encryption": True,
                },
            )
            try:
                self.attach(instance, self.settings)
            except duckdb.Error:
                instance.close()
                raise LakeUnavailable from None
            self._instance = instance
        return self._instance

    def _tables_of(self, snapshot_id: int) -> frozenset[str]:
        """The tables that the lake holds now; kept for each snapshot, since models come and go with releases only.

        ``duckdb_tables()`` would read the statistics of every table first: 0.8 s at each new snapshot.
        """
        known = self._known.get(snapshot_id)
        if known is None:
            rows = self.fetch("SELECT table_name FROM ducklake_table_info('lake')", {})
            known = frozenset(row[0] for row in rows)
            with self._lock:
                while len(self._known) >= 2 * self.limits.serving_files:
                    self._known.pop(next(iter(self._known)))
                self._known[snapshot_id] = known
        return known

    def _lease(self, snapshot_id: int) -> _Serving | None:
        with self._lock:
            if snapshot_id not in self._serving:
                files = serving.read(self.settings.serve_dir, snapshot_id)
                if files is None:
                    return None
                self._serving[snapshot_id] = _Serving(
                    files, {table: self._table(file) for table, file in files.items()}
                )
            held = self._serving[snapshot_id]
            held.users += 1
            return held

    def _table(self, file: Path) -> str:
        """The file's table as a query names it; the file is attached if no snapshot has it yet."""
        if file not in self._attached:
            alias = f"serve_{file.stem}"
            place = str(file).replace("'", "''")
            try:
                self._open().execute(f"ATTACH '{place}' AS {quoted(alias)} (READ_ONLY)")
            except duckdb.IOException:
                raise SnapshotUnknown from None
            self._attached[file] = alias
        return f"{quoted(self._attached[file])}.{serving.TABLE}"

    def _drop_unused(self) -> None:
        """Forgets the oldest snapshots beyond the limit that no query holds, and the files that only they had."""
        with self._lock:
            excess = len(self._serving) - self.limits.serving_files
            for snapshot_id in sorted(self._serving)[: max(0, excess)]:
                if self._serving[snapshot_id].users == 0:
                    del self._serving[snapshot_id]
            named = {file for held in self._serving.values() for file in held.files.values()}
            for file in self._attached.keys() - named:
                self._open().execute(f"DETACH {quoted(self._attached.pop(file))}")
