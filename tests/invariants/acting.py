"""What the acts share: a random row of a statement, its key."""

from __future__ import annotations

import random
from typing import Any, LiteralString

import psycopg

Connection = psycopg.Connection[Any]
Row = tuple[Any, ...]


def pick(connection: Connection, rng: random.Random, statement: LiteralString, *values: Any) -> Row | None:
    """One row of a statement that orders its rows; None when there is none."""
    rows = connection.execute(statement, values or None).fetchall()
    return rng.choice(rows) if rows else None


def insert(connection: Connection, statement: LiteralString, *values: Any) -> int:
    """The key of the row that a statement inserts."""
    row = connection.execute(statement, values).fetchone()
    assert row is not None
    return int(row[0])
