"""Full verification: bronze against the feed, every model against its rebuild from the beginning, every check.

Each model's SQL is run from transaction 0 over the tables that stand in the lake and compared with the stored table,
row by row in both directions. Staging rests on bronze and each later layer on the one before, so if every comparison
is equal, gold equals a full rebuild; nothing is written to the lake.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import duckdb
import psycopg
from psycopg.types.json import Jsonb

from kmis.clock import Clock, SystemClock
from kmis.settings import Settings
from pipelines.lib.compiled import compiled_project
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.errors import PassRefused, safe_text
from pipelines.lib.feed_months import DIGEST, MONTH, Sums, dropped_months, remember
from pipelines.lib.project import Model, Project
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
    """The outcome for one published snapshot; ``pass_id`` is its row in ``lake_pass``."""

    snapshot_id: int
    watermark_xid: int
    findings: tuple[Finding, ...]
    pass_id: int

    @property
    def ok(self) -> bool:
        return all(finding.ok or not finding.fails for finding in self.findings)


# Reason of the pin that keeps the snapshot of a verification; one that is older belongs to none any more.
PIN = "verification"
LONGEST = timedelta(hours=20)
# The text of jsonb is the same on both sides: bronze holds what PostgreSQL printed.
FEED_SUMS = (
    "select table_name, {month}, count({key}), sum({key}), sum({digest}), max({key}) from {table} where {upto}"
    " group by 1, 2"
)
Read = dict[tuple[str, date], Sums]


def verify(settings: Settings, project: Project | None = None, clock: Clock | None = None) -> Verification:
    """Verifies the newest published snapshot, and leaves a row in ``lake_pass`` and the months that were proved.

    ``project``: the compiled one, where the caller has it. Raises PassRefused when nothing is published.
    """
    clock = clock or SystemClock()
    started = clock.now()
    with psycopg.connect(settings.dsn("kmis_writer"), autocommit=True) as store:
        with _pinned(store) as (snapshot, watermark):
            try:
                findings, months = _verify(settings, store, project, snapshot, watermark, clock)
            except Exception as error:
                _record(store, started, clock, snapshot, watermark, safe_text(error), {})
                raise
        wrong = [finding for finding in findings if not finding.ok and finding.fails]
        detail: dict[str, object] = {
            "comparisons": len(findings),
            "different": {f"{finding.subject}: {finding.what}": finding.differences for finding in wrong},
            "months": [f"{month:%Y-%m}" for month in months],
        }
        error_text = f"{len(wrong)} comparisons differ" if wrong else None
        pass_id = _record(store, started, clock, snapshot, watermark, error_text, detail)
    return Verification(snapshot, watermark, tuple(findings), pass_id)


@contextlib.contextmanager
def _pinned(store: psycopg.Connection[tuple[object, ...]]) -> Iterator[tuple[int, int]]:
    """The newest published snapshot and its watermark, kept from expiry while the block reads.

    Takes back what a verification that was killed left. Raises PassRefused when nothing is published.
    """
    store.execute("delete from snapshot_pin where reason = %s and pinned_at < clock_timestamp() - %s", (PIN, LONGEST))
    row = store.execute(
        "with newest as (select snapshot_id, watermark_xid from published order by id desc limit 1), pin as ("
        "insert into snapshot_pin (snapshot_id, reason, pinned_by) select snapshot_id, %s, 'verification' from newest"
        " returning id) select pin.id, snapshot_id, watermark_xid from pin, newest",
        (PIN,),
    ).fetchone()
    if row is None:
        raise PassRefused("nothing is published yet")
    pin, snapshot, watermark = (int(str(value)) for value in row)
    try:
        yield snapshot, watermark
    finally:
        # With the store gone, what the block raised says more.
        with contextlib.suppress(psycopg.OperationalError):
            store.execute("delete from snapshot_pin where id = %s", (pin,))


def _verify(
    settings: Settings,
    store: psycopg.Connection[tuple[object, ...]],
    project: Project | None,
    snapshot: int,
    watermark: int,
    clock: Clock,
) -> tuple[list[Finding], list[date]]:
    with open_reader(settings, snapshot) as reader:
        project = project or compiled_project(DbtRunner(settings, reader.instance, target="checks"))
        connection = reader.connection
        findings, proved = bronze_findings(store, connection, watermark)
        months = remember(store, proved, snapshot, clock.now())
        connection.execute(f"set variable from_xid = 0::bigint; set variable to_xid = {watermark}::bigint")
        transient: list[Model] = []
        for model in project.models:
            if model.transient:
                connection.execute(f"create or replace temp table {model.batch} as {_sql(model.sql, transient)}")
                transient.append(model)
            else:
                differences = rebuild_differences(connection, model, transient)
                findings.append(Finding(model.name, "equals its rebuild", differences))
            findings.extend(
                Finding(model.name, check.name, _count(connection, f"({_sql(check.sql, transient)})"), check.fails)
                for check in model.checks
            )
    return findings, months


def _record(
    store: psycopg.Connection[tuple[object, ...]],
    started: datetime,
    clock: Clock,
    snapshot: int,
    watermark: int,
    error: str | None,
    detail: dict[str, object],
) -> int:
    row = store.execute(
        "insert into lake_pass (kind, state, started_at, finished_at, to_xid, snapshot_id, error, detail)"
        " values ('verification', %s, %s, %s, %s, %s, %s, %s) returning id",
        ("failed" if error else "done", started, clock.now(), watermark, snapshot, error, Jsonb(detail)),
    ).fetchone()
    return int(str(row[0])) if row else 0


def rebuild_differences(connection: duckdb.DuckDBPyConnection, model: Model, transient: Sequence[Model] = ()) -> int:
    """Rows that stand only in the table or only in its rebuild from the batch bounds that are set.

    ``transient``: models that have no table; their temporary tables hold all of their rows.
    """
    rows = f"({_sql(model.sql, transient)})"
    kept = " where not deleted_flag" if model.keys else ""
    columns = ", ".join(
        f'"{row[0]}"' for row in connection.execute(f"describe select * from {model.relation}").fetchall()
    )
    stored = f"select {columns} from {model.relation}"
    if _digest(connection, stored, columns) == _digest(connection, f"select {columns} from {rows}{kept}", columns):
        return 0
    # Only where they differ are the rows of both sides held to be counted.
    connection.execute(f"create or replace temp table {model.batch} as select {columns} from {rows}{kept}")
    anew = f"select {columns} from {model.batch}"
    differences = _count(connection, f"({stored} except all {anew})")
    differences += _count(connection, f"({anew} except all {stored})")
    connection.execute(f"drop table {model.batch}")
    return differences


def _digest(connection: duckdb.DuckDBPyConnection, rows: str, columns: str) -> tuple[object, ...] | None:
    """Number of rows, and sum of their 64-bit hashes: the same in any order, and no row has to be held."""
    return connection.execute(f"select count(*), sum(hash({columns})) from ({rows})").fetchone()


def _sql(sql: str, transient: Sequence[Model]) -> str:
    for other in transient:
        sql = sql.replace(other.relation, other.batch)
    return sql


def bronze_findings(
    store: psycopg.Connection[tuple[object, ...]], connection: duckdb.DuckDBPyConnection, watermark: int
) -> tuple[list[Finding], dict[date, list[Sums]]]:
    """Compares bronze with the feed, table by table and month by month; gives the months that are equal, too.

    Of a month whose partition was dropped, bronze is compared with what was verified before.
    """
    there = FEED_SUMS.format(
        month=MONTH,
        key="id",
        digest="('x' || left(md5(concat(new_row::text, old_row::text)), 8))::bit(32)::bigint",
        table="change_feed",
        upto=f"xid <= '{watermark}'::xid8",
    )
    here = FEED_SUMS.format(
        month=MONTH, key="feed_id", digest=DIGEST, table="lake.bronze.change",
        # What only the lake holds has numbers below zero.
        upto=f"xid <= {watermark} and feed_id > 0",
    )  # fmt: skip
    dropped = dropped_months(store)
    feed = _read(store.execute(there).fetchall())
    whole = _read(connection.execute(here).fetchall())
    bronze = {place: sums for place, sums in whole.items() if place[1] not in dropped}
    differences: dict[str, int] = {}
    different: set[date] = set()
    for place in sorted(feed.keys() | bronze.keys()):
        difference = _difference(feed.get(place), bronze.get(place))
        differences[place[0]] = differences.get(place[0], 0) + difference
        if difference:
            different.add(place[1])
    findings = [Finding(f"bronze.change/{table}", "equals the feed", rows) for table, rows in differences.items()]
    for month, known in dropped.items():
        parts = [sums for place, sums in whole.items() if place[1] == month]
        read = sum(part.entries for part in parts), max((part.last for part in parts), default=0)
        same = (*read, sum(part.digest for part in parts)) == known
        rows = 0 if same else max(1, abs(read[0] - known[0]))
        findings.append(Finding(f"bronze.change/{month:%Y-%m}", "holds the month that the feed dropped", rows))
    proved: dict[date, list[Sums]] = {}
    for (_, month), sums in bronze.items():
        if month not in different:
            proved.setdefault(month, []).append(sums)
    return findings, proved


def _read(rows: Sequence[Sequence[object]]) -> Read:
    found: Read = {}
    for table, month, *values in rows:
        if not isinstance(month, date):
            raise TypeError("a month is a date")
        found[str(table), month] = Sums(*(int(str(value)) for value in values))
    return found


def _difference(feed: Sums | None, bronze: Sums | None) -> int:
    if feed == bronze:
        return 0
    # Where the counts agree and the sums do not, at least one row differs.
    return max(1, abs((feed.entries if feed else 0) - (bronze.entries if bronze else 0)))


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    row = connection.execute(f"select count(*) from {source}").fetchone()
    return int(row[0]) if row else 0
