"""Full verification: bronze against the feed, every model against its rebuild from the beginning, every check.

Each model's SQL is run from transaction 0 over the tables that stand in the lake and compared with the stored table,
row by row in both directions. Staging rests on bronze and each later layer on the one before, so if every comparison
is equal, gold equals a full rebuild; nothing is written to the lake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import psycopg

from kmis.settings import Settings
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.errors import PassRefused
from pipelines.lib.project import Model, compile_project
from pipelines.lib.readers import open_reader


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was verified. ``differences`` counts rows; ``fails`` is false for a warning."""

    subject: str
    what: str
    differences: int
    fails: bool = True

    @property
    def ok(self) -> bool:
        return not self.differences


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome for one published snapshot."""

    snapshot_id: int
    watermark_xid: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return all(finding.ok or not finding.fails for finding in self.findings)


# The text of jsonb is the same on both sides: bronze holds what PostgreSQL printed.
FEED_SUMS = "select table_name, count({key}), sum({key}), sum({digest}) from {table} where {upto} group by table_name"


def verify(settings: Settings) -> Verification:
    """Verifies the newest published snapshot. Raises PassRefused when nothing is published."""
    with psycopg.connect(settings.dsn("kmis_writer"), autocommit=True) as store:
        row = store.execute("select snapshot_id, watermark_xid from published order by id desc limit 1").fetchone()
        if row is None:
            raise PassRefused("nothing is published yet")
        snapshot, watermark = int(row[0]), int(row[1])
        with open_reader(settings, snapshot) as reader:
            project = compile_project(DbtRunner(settings, reader.instance, target="checks"))
            findings = bronze_findings(store, reader.connection, watermark)
            connection = reader.connection
            connection.execute(f"set variable from_xid = 0::bigint; set variable to_xid = {watermark}::bigint")
            transient: list[Model] = []
            for model in project.models:
                if model.transient:
                    connection.execute(f"create or replace temp table {model.batch} as {_sql(model, transient)}")
                    transient.append(model)
                else:
                    differences = rebuild_differences(connection, model, transient)
                    findings.append(Finding(model.name, "equals its rebuild", differences))
                findings.extend(
                    Finding(model.name, check.name, _count(connection, f"({check.sql})"), check.fails)
                    for check in model.checks
                )
    return Verification(snapshot, watermark, tuple(findings))


def rebuild_differences(connection: duckdb.DuckDBPyConnection, model: Model, transient: Sequence[Model] = ()) -> int:
    """Rows that stand only in the table or only in its rebuild from the batch bounds that are set.

    ``transient``: models that keep the last batch only; their temporary tables hold all of it.
    """
    connection.execute(f"create or replace temp table {model.batch} as {_sql(model, transient)}")
    rebuilt = f"select * from {model.batch}"
    if model.keys:
        rebuilt = f"select * exclude (deleted_flag) from {model.batch} where not deleted_flag"
    columns = ", ".join(
        f'"{row[0]}"' for row in connection.execute(f"describe select * from {model.relation}").fetchall()
    )
    stored, anew = f"select {columns} from {model.relation}", f"select {columns} from ({rebuilt})"
    differences = _count(connection, f"({stored} except all {anew})")
    differences += _count(connection, f"({anew} except all {stored})")
    connection.execute(f"drop table {model.batch}")
    return differences


def _sql(model: Model, transient: Sequence[Model]) -> str:
    sql = model.sql
    for other in transient:
        sql = sql.replace(other.relation, other.batch)
    return sql


def bronze_findings(
    store: psycopg.Connection[tuple[object, ...]], connection: duckdb.DuckDBPyConnection, watermark: int
) -> list[Finding]:
    """Compares bronze with the feed, table by table, by count and by sums over keys and images."""
    there = FEED_SUMS.format(
        key="id",
        digest="('x' || left(md5(concat(new_row::text, old_row::text)), 8))::bit(32)::bigint",
        table="change_feed",
        upto=f"xid <= '{watermark}'::xid8",
    )
    here = FEED_SUMS.format(
        key="feed_id",
        digest="('0x' || left(md5(concat(new_row, old_row)), 8))::bigint",
        table="lake.bronze.change",
        upto=f"xid <= {watermark}",
    )
    feed = {str(row[0]): tuple(int(str(value)) for value in row[1:]) for row in store.execute(there).fetchall()}
    bronze = {str(row[0]): tuple(int(value) for value in row[1:]) for row in connection.execute(here).fetchall()}
    return [
        Finding(f"bronze.change/{table}", "equals the feed", _difference(feed.get(table), bronze.get(table)))
        for table in sorted(feed.keys() | bronze.keys())
    ]


def _difference(feed: tuple[int, ...] | None, bronze: tuple[int, ...] | None) -> int:
    if feed == bronze:
        return 0
    # Where the counts agree and the sums do not, at least one row differs.
    return max(1, abs((feed or (0,))[0] - (bronze or (0,))[0]))


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    row = connection.execute(f"select count(*) from {source}").fetchone()
    return int(row[0]) if row else 0
