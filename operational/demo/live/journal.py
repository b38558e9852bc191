"""The journal of what an installation acknowledged: one JSON line for each act, and what of it the store lacks.

An act stands here only after its acknowledgement (2xx, AA, DICOM 0x0000), so each entry is a promise: the row that it
names exists from now on. Entries hold keys, never a name or a number of a person.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from kmis.settings import Settings

# The value of a column in ``match`` that stands for any value but null.
ANY: Final = "*"
# What a value that means "from this moment to the acknowledgement" begins with.
SINCE: Final = "since "

Match = dict[str, str | int | bool]
Heard = Callable[["Entry"], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """An acknowledged act: when (UTC), its kind, and the table with the columns of the row that must exist."""

    at: datetime
    act: str
    table: str
    match: Match


def since(moment: datetime) -> str:
    """The value of a column in ``match`` that stands for any moment from this one to the acknowledgement."""
    return f"{SINCE}{moment.isoformat()}"


class Journal:
    """Appends entries to a file; each is with the operating system before ``write`` returns, and ``heard`` told."""

    def __init__(self, path: Path, heard: Heard | None = None) -> None:
        self.path = path
        self._heard = heard
        path.parent.mkdir(parents=True, exist_ok=True)
        _drop_torn_line(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()

    def write(self, act: str, table: str, match: Match) -> Entry:
        """Keep an act that was acknowledged just now."""
        entry = Entry(datetime.now(UTC), act, table, match)
        line = json.dumps({"at": entry.at.isoformat(), "act": act, "table": table, "match": match})
        with self._lock:
            os.write(self._file, f"{line}\n".encode())
        if self._heard is not None:
            self._heard(entry)
        return entry

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _drop_torn_line(path: Path) -> None:
    """Take away what a player that was killed did not finish."""
    content = path.read_bytes() if path.exists() else b""
    if not content.endswith(b"\n"):
        path.write_bytes(content[: content.rfind(b"\n") + 1])


def journal_path(settings: Settings) -> Path:
    """Where the journal lies unless the caller says otherwise."""
    return settings.run_dir / "live.jsonl"


def read_journal(path: Path) -> list[Entry]:
    """The entries in order; none where there is no file. A last line without its end was never completed: left out.

    Raises ValueError for any other line that is no entry.
    """
    if not path.exists():
        return []
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            row = json.loads(line)
            entries.append(Entry(datetime.fromisoformat(row["at"]), row["act"], row["table"], row["match"]))
    return entries


def missing(settings: Settings, entries: Iterable[Entry]) -> list[Entry]:
    """The entries whose row does not exist in PostgreSQL now, read as the schema's owner past every scope."""
    with psycopg.connect(settings.dsn("kmis_owner")) as store:
        return [entry for entry in entries if not _exists(store, entry)]


def _exists(store: psycopg.Connection[Any], entry: Entry) -> bool:
    conditions = [_condition(column, value, entry.at) for column, value in entry.match.items()]
    statement = sql.SQL("select 1 from {} where {} limit 1").format(
        sql.Identifier(entry.table), sql.SQL(" and ").join(conditions)
    )
    return store.execute(statement).fetchone() is not None


def _condition(column: str, value: str | int | bool, at: datetime) -> sql.Composed:
    name = sql.Identifier(column)
    if value == ANY:
        return sql.SQL("{} is not null").format(name)
    if isinstance(value, str) and value.startswith(SINCE):
        begun = datetime.fromisoformat(value.removeprefix(SINCE))
        return sql.SQL("{} between {} and {}").format(name, sql.Literal(begun), sql.Literal(at))
    return sql.SQL("{} = {}").format(name, sql.Literal(value))
