"""Copies in memory of what the models of a pass read again and again.

Each scan of a lake table asks the catalogue for its files and opens them: 4 ms for a table of 200 rows, and the models
of a pass scan some five hundred times. The batch's feed entries are read once, and so are the tables that several
models read; the models read the copies. A table's copy is kept from pass to pass and changed as the lake's table is, by
the same batch. Whoever owns the copies clears them when a pass was rolled back or anything else wrote to the lake.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import duckdb

from pipelines.lib.project import FROM_XID, TO_XID, Model

# A larger table is read where it lies: some 30 to 400 bytes a row stay in memory. Those of persons, which nearly every
# fact looks up, are worth more of it.
ROWS = 150_000
ROWS_OF_MUCH_READ = 1_000_000
MUCH_READ = 15
ENTRIES = 100_000
# A table that is read fewer times, counted over the SQL of all models, is not copied.
READS = 2
RELATION = re.compile(r'"lake"\."(?P<schema>\w+)"\."(?P<name>\w+)"')
FEED = '"lake"."bronze"."change"'
ENTRIES_READ = re.compile(
    rf"{re.escape(FEED)}(?=\s+where table_name = '\w+' and xid > {re.escape(FROM_XID)} and xid <= {re.escape(TO_XID)})"
)
COPIED_FEED = '"temp"."main"."near_feed"'


class Near:
    """The copies of one connection; ``models`` are all that may read them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, models: Sequence[Model]) -> None:
        self._connection = connection
        self._reads = Counter(found["name"] for model in models for found in RELATION.finditer(model.sql))
        # A transient model has no table in the lake: its batch is all that there is of it.
        self._batches = {model.relation: model.batch for model in models if model.transient}
        self._copies: set[str] = set()
        # Tables that were found too large.
        self._far: set[str] = set()
        self._bounds = (0, 0)
        self._whole = False
        self._feed: bool | None = None

    def open(self, from_xid: int, to_xid: int, *, whole: bool = False) -> None:
        """A pass over from_xid < xid <= to_xid begins; with ``whole`` it makes tables anew and needs the memory."""
        self._bounds = (int(from_xid), int(to_xid))
        self._whole = whole
        if whole:
            self.clear()

    def batches(self, statement: str) -> str:
        """The statement, reading the batches of transient models and otherwise the lake."""
        return RELATION.sub(lambda found: self._batches.get(found[0], found[0]), statement)

    def sql(self, statement: str) -> str:
        """The statement, reading batches and copies where there are some; makes the copies that are wanted."""
        if self._whole:
            return self.batches(statement)
        if ENTRIES_READ.search(statement) and self._feed_copied():
            statement = ENTRIES_READ.sub(COPIED_FEED, statement)
        return RELATION.sub(self._place, statement)

    def lacks(self, model: Model) -> bool:
        """Whether a copy shows that the model's table has no row with a key of its batch."""
        if model.relation not in self._copies:
            return False
        keys = ", ".join(f'"{key}"' for key in model.keys)
        return not self._connection.execute(
            f"select 1 from {_copy_of(model.relation)} where ({keys}) in (select {keys} from {model.batch}) limit 1"
        ).fetchall()

    def follow(self, model: Model, rows: str | None) -> None:
        """The model's table has changed: by its batch, of which ``rows`` stay, or as a whole (None)."""
        if model.relation not in self._copies:
            return
        copy = _copy_of(model.relation)
        if rows is None:
            self._forget(model.relation)
            return
        keys = ", ".join(f'"{key}"' for key in model.keys)
        self._connection.execute(f"delete from {copy} where ({keys}) in (select {keys} from {model.batch})")
        self._connection.execute(f"insert into {copy} by name select * from {rows}")

    def close(self) -> None:
        """The pass has ended."""
        if self._feed:
            self._connection.execute(f"drop table {COPIED_FEED}")
        self._feed = None

    def clear(self) -> None:
        """Removes all copies: what they were made from may have changed."""
        for relation in tuple(self._copies):
            self._forget(relation)
        self._connection.execute(f"drop table if exists {COPIED_FEED}")
        self._feed = None
        self._far.clear()

    def _forget(self, relation: str) -> None:
        self._copies.discard(relation)
        self._connection.execute(f"drop table if exists {_copy_of(relation)}")

    def _place(self, found: re.Match[str]) -> str:
        relation = found[0]
        if relation in self._batches:
            return self._batches[relation]
        if found["schema"] == "bronze" or relation in self._far or self._reads[found["name"]] < READS:
            return relation
        if relation not in self._copies:
            much = self._reads[found["name"]] >= MUCH_READ
            if not self._copied(relation, _copy_of(relation), "", ROWS_OF_MUCH_READ if much else ROWS):
                self._far.add(relation)
                return relation
            self._copies.add(relation)
        return _copy_of(relation)

    def _feed_copied(self) -> bool:
        if self._feed is None:
            low, high = self._bounds
            self._feed = self._copied(FEED, COPIED_FEED, f" where xid > {low} and xid <= {high}", ENTRIES)
        return self._feed

    def _copied(self, relation: str, copy: str, condition: str, limit: int) -> bool:
        connection = self._connection
        connection.execute(
            f"create or replace temp table {copy} as select * from {relation}{condition} limit {limit + 1}"
        )
        row = connection.execute(f"select count(*) from {copy}").fetchone()
        if row is not None and row[0] <= limit:
            return True
        connection.execute(f"drop table {copy}")
        return False


def _copy_of(relation: str) -> str:
    return '"temp"."main".' + relation.rsplit(".", 1)[1]
