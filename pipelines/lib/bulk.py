"""Rows that only the lake holds: the synthetic people whom the operational store would take too long to load.

They go straight into bronze, with keys and feed ids below zero, and through the same models as everything else.
``bronze.synthetic`` says that they are there. Only a lake of the demonstration takes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from pipelines.lib import loader
from pipelines.lib.errors import PassRefused
from pipelines.lib.syncing import sync_files
from pipelines.lib.workshop import Workshop

REASON = "synthetic region"
# Gates look at what entered in the last day; what did not come through one is older.
BEFORE_GATES = timedelta(days=2)
TABLE = """
create table if not exists lake.bronze.synthetic (
    seed bigint, people bigint, districts integer, entries bigint, made_at timestamptz
)
"""
INSERT = """
insert into lake.bronze.change by name
select feed_id, {xid}::bigint as xid, '{table}' as table_name, key, 'I' as operation, null::bigint as actor_id,
    '{reason}' as reason, {recorded}::timestamptz as recorded_at, new_row, null::varchar as old_row,
    false as superseded, 0::bigint as batch_id
from read_parquet('{files}')
"""


class NotTheDemonstration(PassRefused):
    """The store behind the lake is not the demonstration's."""


@dataclass(frozen=True, slots=True)
class Synthetic:
    """What a lake says of its rows that no store has."""

    seed: int
    people: int
    districts: int
    entries: int
    made_at: datetime


def read_synthetic(connection: duckdb.DuckDBPyConnection) -> Synthetic | None:
    """What the attached lake holds beside the store's rows; None: nothing."""
    there = connection.execute(
        "select count(*) from duckdb_tables() where database_name = 'lake' and schema_name = 'bronze'"
        " and table_name = 'synthetic'"
    ).fetchone()
    if not there or not there[0]:
        return None
    row = connection.execute(
        "select max(seed), sum(people)::bigint, sum(districts)::integer, sum(entries)::bigint, max(made_at)"
        " from lake.bronze.synthetic"
    ).fetchone()
    return None if row is None or row[1] is None else Synthetic(*row)


def ingest(
    workshop: Workshop, folder: Path, seed: int, people: int, districts: int,
    progress: Callable[[str], None] | None = None,
) -> Synthetic:  # fmt: skip
    """Appends the folder's Parquet files (area/table.parquet: feed_id, key, new_row) to bronze in one lake transaction.

    The next pass takes them. Raises NotTheDemonstration, PassRefused when there are synthetic rows already.
    """
    check_demonstration(workshop)
    if read_synthetic(workshop.lake) is not None:
        raise PassRefused("the lake holds the synthetic rows of the other districts already")
    while (loaded := loader.load(workshop)) and loaded.more:
        pass
    watermark = loader.read_watermark(workshop.lake)
    if watermark is None:
        raise PassRefused("nothing has come out of the store yet")
    connection = workshop.lake
    now = workshop.clock.now()
    entries = 0
    connection.begin()
    try:
        for table in sorted({file.stem for file in folder.glob("*/*.parquet")}):
            if progress:
                progress(f"bronze {table}")
            entries += _append(connection, folder, table, watermark, now - BEFORE_GATES)
        made = Synthetic(seed, people, districts, entries, now)
        connection.execute(TABLE)
        connection.execute(
            "insert into lake.bronze.synthetic values (?, ?, ?, ?, ?)", [seed, people, districts, entries, now]
        )
        # They carry the watermark's transaction: the next pass has to take the batch that it came with, all of it,
        # since only within a whole batch an older image of a row is known as such.
        connection.execute(
            "update lake.bronze.built set xid = least(xid, (select coalesce(max(xid), 0) from lake.bronze.change"
            " where batch_id > 0 and batch_id < ?))", [watermark.batch_id],
        )  # fmt: skip
        sync_files(workshop.settings.lake_dir)
        workshop.ensure_lock()
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return made


def check_demonstration(workshop: Workshop) -> None:
    """Raises NotTheDemonstration unless every organisation of the store came with the demonstration."""
    row = workshop.store.execute(
        "select count(*), count(*) filter (where not exists (select from change_feed as f where"
        " f.table_name = 'organisation' and f.key = o.id and f.operation = 'I' and f.reason = 'demonstration'))"
        " from organisation as o"
    ).fetchone()
    if row is None or not row[0] or row[1]:
        raise NotTheDemonstration("rows that only the lake holds belong to the demonstration; this store is another")


def _append(
    connection: duckdb.DuckDBPyConnection, folder: Path, table: str, watermark: loader.Watermark, recorded: datetime
) -> int:
    files = str(folder / "*" / f"{table}.parquet").replace("'", "''")
    row = connection.execute(
        INSERT.format(
            xid=watermark.xid, table=table, reason=REASON, recorded=f"'{recorded.isoformat()}'", files=files
        )
    ).fetchone()  # fmt: skip
    wrong = connection.execute(
        f"select count(*) from read_parquet('{files}') where feed_id >= 0 or key >= 0 or new_row is null"
    ).fetchone()
    if wrong and wrong[0]:
        raise PassRefused(f"{wrong[0]} synthetic rows of {table} have keys of the store")
    return int(row[0]) if row else 0
