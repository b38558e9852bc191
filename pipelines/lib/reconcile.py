"""Reconciliation: for every fact, count and control total in PostgreSQL and in gold, at the same watermark.

The PostgreSQL side is evaluated at the published watermark W while the store moves on: rows that nothing has changed
after W are read from the table; for the others the feed tells what they were. Both sides are real scans.
Rows that only the lake holds have keys below zero (``pipelines.lib.bulk``): gold leaves them out and says how many.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

import duckdb
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from kmis.clock import Clock
from kmis.settings import Settings
from pipelines.lib.bulk import read_synthetic
from pipelines.lib.errors import PassRefused
from pipelines.lib.project import Model, Project
from pipelines.lib.readers import open_reader

TABLE = re.compile(r"\$(?P<table>[a-z_][a-z0-9_]*)")
# DuckLake answers counts, minima and maxima out of its catalogue, unless the same select sums a value: then it scans.
SCANS = re.compile(r"\bsum\s*\(", re.IGNORECASE)


class NothingToReconcile(PassRefused):
    """No snapshot has been published, or no fact says how it is reconciled."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One fact: how many rows and which control total on either side; ``synthetic`` rows have no other side."""

    fact: str
    source_count: int
    gold_count: int
    source_total: Decimal
    gold_total: Decimal
    synthetic: int = 0

    @property
    def equal(self) -> bool:
        return (self.source_count, self.source_total) == (self.gold_count, self.gold_total)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """All facts of one published snapshot."""

    snapshot_id: int
    watermark_xid: int
    checked_at: datetime
    facts: tuple[Comparison, ...]

    @property
    def equal(self) -> bool:
        return all(fact.equal for fact in self.facts)

    @property
    def synthetic(self) -> int:
        """Rows of all facts that only the lake holds; they are not compared."""
        return sum(fact.synthetic for fact in self.facts)

    def as_json(self) -> dict[str, object]:
        """What ``published.reconciliation`` keeps."""
        return {
            "state": "ok" if self.equal else "different",
            "checked_at": self.checked_at.isoformat(),
            "snapshot_id": self.snapshot_id,
            "watermark_xid": self.watermark_xid,
            "synthetic": self.synthetic,
            "facts": [
                {
                    "fact": fact.fact,
                    "equal": fact.equal,
                    "source": [fact.source_count, str(fact.source_total)],
                    "gold": [fact.gold_count, str(fact.gold_total)],
                }
                for fact in self.facts
            ],
        }


def reconcile(settings: Settings, project: Project, clock: Clock) -> Reconciled:
    """Compares every fact at the newest published snapshot, and stores the outcome with it.

    Raises NothingToReconcile; ``duckdb.Error`` and ``psycopg.Error`` when a definition is wrong.
    """
    facts = [model for model in project.models if model.reconciliation]
    with psycopg.connect(settings.dsn("kmis_writer"), autocommit=True) as store:
        row = store.execute("select snapshot_id, watermark_xid from published order by id desc limit 1").fetchone()
        if row is None or not facts:
            raise NothingToReconcile("nothing is published yet" if row is None else "no fact is reconciled")
        snapshot, watermark = int(row[0]), int(row[1])
        source = source_side(store, facts, watermark)
        with open_reader(settings, snapshot) as reader:
            gold = gold_side(reader.connection, facts)
            beyond = synthetic_rows(reader.connection, facts)
        result = Reconciled(
            snapshot,
            watermark,
            clock.now(),
            tuple(Comparison(fact.name, source[fact.name][0], gold[fact.name][0], source[fact.name][1],
                             gold[fact.name][1], beyond.get(fact.name, 0)) for fact in facts),
        )  # fmt: skip
        store.execute(
            "update published set state = %s, reconciliation = %s where snapshot_id = %s",
            ("ok" if result.equal else "different", Jsonb(result.as_json()), snapshot),
        )
    return result


def source_side(
    store: psycopg.Connection[tuple[object, ...]], facts: Sequence[Model], watermark: int
) -> dict[str, tuple[int, Decimal]]:
    """Counts and totals in PostgreSQL as of the watermark, in one transaction that sees one moment."""
    found: dict[str, tuple[int, Decimal]] = {}
    with store.transaction():
        store.execute("set transaction isolation level repeatable read read only")
        moved = {
            str(row[0])
            for row in store.execute(
                "select distinct table_name from change_feed where xid > %s::text::xid8", (str(watermark),)
            ).fetchall()
        }
        for fact in facts:
            if fact.reconciliation is None:
                continue
            statement = at_watermark(fact.reconciliation.source, watermark, moved)
            found[fact.name] = _pair(store.execute(statement).fetchone())
    return found


def gold_side(connection: duckdb.DuckDBPyConnection, facts: Sequence[Model]) -> dict[str, tuple[int, Decimal]]:
    """Counts and totals in the attached lake, without rows that no store has."""
    found: dict[str, tuple[int, Decimal]] = {}
    for fact in facts:
        if fact.reconciliation is None:
            continue
        if not SCANS.search(fact.reconciliation.gold):
            raise PassRefused(f"{fact.name}: the gold side sums a value beside its count, so that it scans")
        statement = TABLE.sub(partial(_gold_table, fact), fact.reconciliation.gold)
        found[fact.name] = _pair(connection.execute(statement).fetchone())
    return found


def synthetic_rows(connection: duckdb.DuckDBPyConnection, facts: Sequence[Model]) -> dict[str, int]:
    """How many rows of each fact only the attached lake holds; nothing for a lake that has none."""
    if read_synthetic(connection) is None:
        return {}
    found: dict[str, int] = {}
    for fact in facts:
        # The sum makes the count a scan.
        row = connection.execute(f'select count("{fact.keys[0]}"), sum("{fact.keys[0]}") from {fact.relation}'
                                 f' where "{fact.keys[0]}" < 0').fetchone()  # fmt: skip
        found[fact.name] = int(row[0]) if row else 0
    return found


def at_watermark(template: str, watermark: int, moved: set[str]) -> sql.Composed:
    """The statement with each ``$table`` replaced by that table's rows at the watermark."""
    parts: list[sql.Composable] = []
    position = 0
    for match in TABLE.finditer(template):
        parts.append(_raw(template[position : match.start()]))
        parts.append(_state(match["table"], watermark, match["table"] in moved))
        position = match.end()
    parts.append(_raw(template[position:]))
    return sql.Composed(parts)


# An entry of a transaction up to W can be younger than one beyond W (ids are given out before the row is locked):
# then it, and not the old image of the first entry beyond W, is the row at W.
STATE = """(
    select t.* from {table} as t where not exists (
        select from change_feed as f where f.xid > {w}::xid8 and f.table_name = {name} and f.key = t.id)
    union all
    select r.* from (
        select distinct on (f.key) f.key, f.id, f.old_row from change_feed as f
        where f.xid > {w}::xid8 and f.table_name = {name} order by f.key, f.id) as beyond
    left join (
        select distinct on (f.key) f.key, f.id, f.new_row from change_feed as f
        where f.xid <= {w}::xid8 and f.table_name = {name}
          and f.id > (select min(b.id) from change_feed as b where b.xid > {w}::xid8)
        order by f.key, f.id desc) as late on late.key = beyond.key and late.id > beyond.id
    cross join lateral (select case when late.id is null then beyond.old_row else late.new_row end) as i(image)
    cross join lateral jsonb_populate_record(null::{table}, i.image) as r
    where i.image is not null
)"""


def _state(table: str, watermark: int, moved: bool) -> sql.Composable:
    if not moved:
        return sql.Identifier(table)
    return sql.SQL(STATE).format(table=sql.Identifier(table), name=sql.Literal(table), w=sql.Literal(str(watermark)))


def _gold_table(fact: Model, found: re.Match[str]) -> str:
    name = found["table"]
    return (
        f'(select * from {fact.relation} where "{fact.keys[0]}" >= 0)' if name == "this" else f'"lake"."marts"."{name}"'
    )


def _raw(text: str) -> sql.Composable:
    # The text is a definition of the dbt project, as trusted as its models. A brace would be a placeholder.
    return sql.SQL(text.replace("{", "{{").replace("}", "}}")).format()


def _pair(row: Sequence[object] | Mapping[str, object] | None) -> tuple[int, Decimal]:
    if row is None or isinstance(row, Mapping) or len(row) != 2:
        raise PassRefused("a reconciliation selects one row: count, control total")
    return int(str(row[0] or 0)), Decimal(str(row[1] or 0)).normalize()
