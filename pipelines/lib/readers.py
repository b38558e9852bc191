"""Separate DuckDB instances that read the lake at one snapshot: for reconciliation and verification."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from kmis import lake
from kmis.settings import Settings

_instances = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Reader:
    """A named instance with the lake attached read-only."""

    instance: str
    connection: duckdb.DuckDBPyConnection


@contextmanager
def open_reader(settings: Settings, snapshot: int | None = None) -> Iterator[Reader]:
    """An instance of its own with the lake at ``snapshot`` (None: the newest), closed at the end."""
    instance = f":memory:kmis_reader_{os.getpid()}_{next(_instances)}"
    connection = duckdb.connect(instance)
    try:
        spill = settings.root / "tmp" / "checks"
        spill.mkdir(parents=True, exist_ok=True, mode=0o700)
        connection.execute("set threads = 1; set memory_limit = '1GB'; set temp_file_encryption = true")
        connection.execute("set temp_directory = '" + str(spill).replace("'", "''") + "'")
        lake.attach(connection, settings, snapshot)
        yield Reader(instance, connection)
    finally:
        connection.close()
