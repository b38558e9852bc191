"""Upkeep changes no earlier version of a table, however a reader asks it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import duckdb
import pytest

from kmis import lake
from pipelines.lib import maintenance
from pipelines.lib.readers import open_reader
from pipelines.lib.workshop import Workshop

PROBE = "lake.marts.probe"
Row = tuple[int, str, int]


def write(workshop: Workshop, table: dict[int, Row], keys: Sequence[int], value: int) -> None:
    """The rows of the keys are replaced, as a pass does it."""
    wanted = ", ".join(map(str, keys))
    connection = workshop.lake
    connection.begin()
    connection.execute(f"delete from {PROBE} where k in ({wanted})")
    connection.execute(f"insert into {PROBE} select k, 'p' || k % 3, {value} from unnest([{wanted}]) as t(k)")
    connection.commit()
    table.update({key: (key, f"p{key % 3}", value) for key in keys})


def answers(connection: duckdb.DuckDBPyConnection) -> list[object]:
    """Rows in order, counts by value, and what lies below a limit: each is planned in another way."""
    return [
        connection.execute(f"select * from {PROBE} order by all").fetchall(),
        connection.execute(f"select v, count(*) from {PROBE} group by v order by v").fetchall(),
        [connection.execute(f"select count(*) from {PROBE} where v < {limit}").fetchall() for limit in (60, 200, 600)],
    ]


def expected(rows: Sequence[Row]) -> list[object]:
    values = [row[2] for row in rows]
    return [
        sorted(rows), sorted(Counter(values).items()),
        [[(sum(value < limit for value in values),)] for limit in (60, 200, 600)],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "seed", [11, 12, pytest.param(7, marks=pytest.mark.long), pytest.param(13, marks=pytest.mark.long)]
)
def test_an_earlier_version_answers_as_when_it_was_the_newest(workshop: Workshop, seed: int) -> None:
    chance = random.Random(seed)
    connection = workshop.lake
    connection.execute(f"create table {PROBE} (k bigint, p varchar, v bigint)")
    connection.execute(f"alter table {PROBE} set partitioned by (p)")
    connection.execute("call lake.set_option('data_inlining_row_limit', 20)")
    table: dict[int, Row] = {}
    versions: dict[int, list[Row]] = {}
    for value in range(50, 750, 50):
        keys = sorted({chance.randrange(60) for _ in range(chance.choice([3, 8, 40]))})
        write(workshop, table, keys, value)
        versions[lake.current_snapshot(connection)] = list(table.values())
        if value % 200 == 0:
            how = chance.choice([maintenance.THOROUGH, maintenance.IN_PASSING])
            assert maintenance.compact_table(workshop, ("marts", "probe"), how)
            assert answers(connection) == expected(list(table.values()))
    for number, rows in versions.items():
        with open_reader(workshop.settings, number) as reader:
            assert answers(reader.connection) == expected(rows), f"version {number}, seed {seed}"
