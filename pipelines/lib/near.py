"""Copies in memory of what the models of a pass read again and again.

Each scan of a lake table asks the catalogue for its files and opens them: 4 ms for a table of 200 rows, and the models
of a pass scan some five hundred times. The batch's feed entries and the small tables are read once, and the models read
the copies. A copy lives within one pass and one transaction, and goes when a model changes its table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import duckdb

from pipelines.lib.project import FROM_XID, TO_XID, Model

# A larger table is read where it lies: to copy it would cost more than its scans.
ROWS = 20_000
ENTRIES = 100_000
# A table that fewer statements read is not copied.
READS = 2
RELATION = re.compile(r'"lake"\."(?P<schema>\w+)"\."(?P<name>\w+)"')
FEED = '"lake"."bronze"."change"'
ENTRIES_READ = re.compile(
    rf"{re.escape(FEED)}(?=\s+where table_name = '\w+' and xid > {re.escape(FROM_XID)} and xid <= {re.escape(TO_XID)})"
)
COPIED_FEED = '"temp"."main"."near_feed"'


class Near:
    """The copies of one pass. ``far`` names tables found too large; it may be kept from pass to pass."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, models: Iterable[Model], from_xid: int, to_xid: int, far: set[str]
    ) -> None:
        self._connection = connection
        self._bounds = (int(from_xid), int(to_xid))
        self._far = far
        self._copies: set[str] = set()
        self._feed: bool | None = None
        self._reads = Counter(found["name"] for model in models for found in RELATION.finditer(model.sql))

    def sql(self, statement: str) -> str:
        """The statement, reading copies where there are some; makes those that are wanted."""
        if ENTRIES_READ.search(statement) and self._feed_copied():
            statement = ENTRIES_READ.sub(COPIED_FEED, statement)
        return RELATION.sub(self._place, statement)

    def forget(self, model: Model) -> None:
        """The model's table has changed."""
        if model.relation in self._copies:
            self._copies.discard(model.relation)
            self._connection.execute(f'drop table "temp"."main"."{model.name}"')

    def close(self) -> None:
        """Removes the copies."""
        for relation in self._copies:
            self._connection.execute(f"drop table {_copy_of(relation)}")
        if self._feed:
            self._connection.execute(f"drop table {COPIED_FEED}")
        self._copies.clear()
        self._feed = None

    def _place(self, found: re.Match[str]) -> str:
        relation = found[0]
        if found["schema"] == "bronze" or relation in self._far or self._reads[found["name"]] < READS:
            return relation
        if relation not in self._copies:
            if not self._copied(relation, _copy_of(relation), "", ROWS):
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
