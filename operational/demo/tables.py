"""Rows in memory, column by column, and their way into PostgreSQL by COPY.

Columns are typed once, so that a million rows become CSV in polars, not in Python. The digest of all tables is what
the same seed must give again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, LiteralString

import polars as pl
import psycopg
from psycopg import sql

# A psycopg copy takes any size; pieces keep memory flat and the progress moving.
PIECE = 20_000
MOMENT = "%Y-%m-%d %H:%M:%S+00"


class Table:
    """Rows of one table; ``add`` takes the values in the order of the columns and gives the row's id."""

    def __init__(self, name: LiteralString, columns: Mapping[LiteralString, type[pl.DataType]]) -> None:
        self.name: LiteralString = name
        self.types: dict[LiteralString, type[pl.DataType]] = {"id": pl.Int64, **columns}
        self.columns: tuple[LiteralString, ...] = tuple(self.types)
        self.rows: list[tuple[Any, ...]] = []

    def add(self, *values: Any) -> int:
        """Append a row; its id is its place, from 1."""
        key = len(self.rows) + 1
        self.rows.append((key, *values))
        return key

    def change(self, key: int, **values: Any) -> None:
        """Set columns of a row that is still in memory."""
        row = list(self.rows[key - 1])
        for name, value in values.items():
            row[self.columns.index(name)] = value
        self.rows[key - 1] = tuple(row)

    def value(self, key: int, column: LiteralString) -> Any:
        """One value of a row."""
        return self.rows[key - 1][self.columns.index(column)]

    def __len__(self) -> int:
        return len(self.rows)

    def pieces(self) -> Iterator[bytes]:
        """The rows as CSV in pieces; times are UTC, null is the empty field."""
        for start in range(0, len(self.rows), PIECE):
            frame = pl.DataFrame(
                self.rows[start : start + PIECE], schema=[(str(n), t) for n, t in self.types.items()], orient="row"
            )
            yield frame.write_csv(include_header=False, datetime_format=MOMENT).encode()

    def digest(self) -> str:
        """SHA-256 of the rows."""
        sink = hashlib.sha256()
        for piece in self.pieces():
            sink.update(piece)
        return sink.hexdigest()

    def copy_to(self, connection: psycopg.Connection[Any]) -> Iterator[int]:
        """COPY the rows in one statement; gives the number of rows sent after each piece."""
        statement = sql.SQL("copy {} ({}) from stdin (format csv)").format(
            sql.Identifier(self.name), sql.SQL(", ").join(sql.Identifier(name) for name in self.columns)
        )
        sent = 0
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            for piece in self.pieces():
                copy.write(piece)
                sent = min(sent + PIECE, len(self.rows))
                yield sent
        self._move_sequence(connection)

    def _move_sequence(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(
            sql.SQL("select setval(pg_get_serial_sequence({}, 'id'), {})").format(
                sql.Literal(self.name), sql.Literal(max(len(self.rows), 1))
            )
        )
