"""Copies of a pass: the same rows as in the lake, none of a large table, gone when a model changes its table."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from pipelines.lib import near
from pipelines.lib.compiled_pass import Held, run_models
from pipelines.lib.near import Near
from pipelines.lib.project import Model

ENTRIES = (
    'select key, xid from "lake"."bronze"."change"\n  where table_name = \'visit\' and xid > getvariable(\'from_xid\')'
    " and xid <= getvariable('to_xid')"
)


def model(name: str, sql: str, *parents: str, transient: bool = False) -> Model:
    return Model(
        name, "marts", sql, ("key",), None, parents, frozenset({"visit"}), (), serve=False, transient=transient,
        reconciliation=None, checksum="",
    )  # fmt: skip


@pytest.fixture
def lake() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as lake; create schema lake.bronze; create schema lake.marts")
        connection.execute("create table lake.bronze.change (key bigint, xid bigint, table_name varchar)")
        connection.execute("insert into lake.bronze.change select i, i, 'visit' from range(1, 11) as r(i)")
        connection.execute("create table lake.marts.kind as select i as key, i % 2 as kind from range(100) as r(i)")
        connection.execute("set variable from_xid = 4::bigint; set variable to_xid = 7::bigint")
        yield connection


def near_of(lake: duckdb.DuckDBPyConnection, *models: Model) -> Near:
    copies = Near(lake, models)
    copies.open(4, 7)
    return copies


def test_the_batch_is_read_out_of_a_copy_that_holds_it_and_nothing_else(lake: duckdb.DuckDBPyConnection) -> None:
    asked = near_of(lake).sql(ENTRIES)
    assert "lake" not in asked
    assert lake.execute(asked).fetchall() == lake.execute(ENTRIES).fetchall() == [(5, 5), (6, 6), (7, 7)]


def test_what_looks_beyond_the_batch_reads_the_lake(lake: duckdb.DuckDBPyConnection) -> None:
    whole = 'select count(*) from "lake"."bronze"."change" where xid <= getvariable(\'to_xid\')'
    assert near_of(lake).sql(whole) == whole


def test_a_large_table_and_a_large_batch_stay_where_they_are(
    lake: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = 'select * from "lake"."marts"."kind"'
    monkeypatch.setattr(near, "ROWS", 99)
    monkeypatch.setattr(near, "ENTRIES", 2)
    copies = near_of(lake, model("a", kind), model("b", kind))
    assert (copies.sql(kind), copies.sql(ENTRIES)) == (kind, ENTRIES)


def test_a_copy_is_made_of_what_two_models_read_and_follows_its_table(lake: duckdb.DuckDBPyConnection) -> None:
    kind = 'select count(*) from "lake"."marts"."kind"'
    assert near_of(lake, model("a", kind)).sql(kind) == kind
    copies = near_of(lake, model("a", kind), model("b", kind))
    assert lake.execute(copies.sql(kind)).fetchall() == [(100,)]
    lake.execute("create temp table batch_kind as select 7 as key, 1 as kind, false as deleted_flag union all"
                 " select 100, 0, false union all select 8, null, true")  # fmt: skip
    copies.follow(model("kind", ""), "(select * exclude (deleted_flag) from batch_kind where not deleted_flag)")
    copies.close()
    assert copies.sql(kind) != kind
    assert lake.execute(copies.sql(kind)).fetchall() == [(100,)]
    lake.execute("delete from lake.marts.kind where kind = 0")
    copies.follow(model("kind", ""), None)
    assert lake.execute(copies.sql(kind)).fetchall() == [(50,)]
    copies.clear()
    left = "select table_name from duckdb_tables() where temporary"
    assert lake.execute(left).fetchall() == [("batch_kind",)]


def test_a_model_whose_parents_have_not_changed_is_left_out(lake: duckdb.DuckDBPyConnection) -> None:
    """Nor does its reader see the rows that it held before."""
    stage = model("stage", f"select key, xid, false as deleted_flag from ({ENTRIES})")
    touched = 'select key, false as deleted_flag from "batch_stage" where xid < 7'
    named = model("named", touched, "stage", transient=True)
    reader = model("reader", 'select key, false as deleted_flag from "batch_named"', "named")
    models = (stage, named, reader)
    held = Held(lake, models)
    run_models(lake, models, 0, 4, [entry.name for entry in models], held=held)
    seen: list[str] = []
    assert [change.model.name for change in run_models(lake, models, 4, 7, (), seen.append, held).changes] == [
        "stage", "named", "reader",
    ]  # fmt: skip
    assert seen == ["stage", "named", "reader", "checks"]
    seen.clear()
    outcome = run_models(lake, models, 6, 7, (), seen.append, held)
    assert [change.model.name for change in outcome.changes] == ["stage"]
    assert seen == ["stage", "named", "checks"]
    seen.clear()
    run_models(lake, models, 7, 7, (), seen.append, held)
    assert seen == ["stage", "checks"]
    assert lake.execute('select count(*) from "batch_named"').fetchall() == [(0,)]
