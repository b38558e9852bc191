"""Rows that only the lake holds: through the same models, counted beside the store's, never on another store."""

from __future__ import annotations

import json
import time
from pathlib import Path

import duckdb
import psycopg
import pytest

from kmis.clock import SystemClock
from kmis.postgres import admin_connection
from pipelines.lib.bulk import NotTheDemonstration, ingest, read_synthetic
from pipelines.lib.errors import PassRefused
from pipelines.lib.passes import Passes
from pipelines.lib.project import Project
from pipelines.lib.readers import open_reader
from pipelines.lib.reconcile import reconcile
from pipelines.lib.verify import bronze_findings, rebuild_differences
from pipelines.lib.workshop import Workshop
from tests.pipelines.conftest import Installation, rows

SEED, PEOPLE, DISTRICTS = 7, 40, 2


@pytest.fixture
def folder(installation: Installation, tmp_path: Path) -> Path:
    """Two areas with 25 visits each, as the demonstration writes them."""
    with duckdb.connect() as connection:
        for area in (1, 2):
            place = tmp_path / "region" / f"area-{area:02d}"
            place.mkdir(parents=True)
            visits = [
                (-(area * 1000 + number), -(area * 1000 + number), json.dumps({
                    "id": -(area * 1000 + number), "practitioner_id": installation.world["practitioner"],
                    "status": "finished", "complaints": None, "started_at": f"2024-02-0{area}T04:00:00+00:00",
                    "voided_at": None,
                }))
                for number in range(25)
            ]  # fmt: skip
            connection.execute("create or replace table visits (feed_id bigint, key bigint, new_row varchar)")
            connection.executemany("insert into visits values (?, ?, ?)", visits)
            connection.execute(f"copy visits to '{place / 'encounter.parquet'}' (format parquet)")
    return tmp_path / "region"


def declare_demonstration(installation: Installation) -> None:
    """As the loading of the demonstration marks its rows."""
    installation.change("update change_feed set reason = 'demonstration' where table_name = 'organisation'")


def add(workshop: Workshop, folder: Path) -> int:
    return ingest(workshop, folder, SEED, PEOPLE, DISTRICTS).entries


def visits_by_day(workshop: Workshop) -> list[tuple[str, int]]:
    return rows(workshop, "select strftime(event_date, '%m-%d'), sum(visits) from lake.marts.agg_visit_day"
                          " group by 1 order by 1")  # fmt: skip


def test_another_store_than_the_demonstration_is_refused(
    installation: Installation, workshop: Workshop, folder: Path
) -> None:
    installation.visit()
    with pytest.raises(NotTheDemonstration):
        add(workshop, folder)
    declare_demonstration(installation)
    installation.change("insert into organisation (code, kind) values ('REAL', 'polyclinic')")
    with pytest.raises(NotTheDemonstration):
        add(workshop, folder)
    assert read_synthetic(workshop.lake) is None
    assert rows(workshop, "select count(*) from lake.bronze.change") == [(0,)]


@pytest.mark.parametrize("built_before", [False, True])
def test_figures_are_those_of_the_store_and_of_the_synthetic_rows(
    installation: Installation, workshop: Workshop, project: Project, passes: Passes, folder: Path, built_before: bool
) -> None:
    declare_demonstration(installation)
    for _ in range(3):
        installation.visit(days=22)
    if built_before:
        passes.refresh()
    assert add(workshop, folder) == 50
    passes.refresh()
    assert visits_by_day(workshop) == [("02-01", 28), ("02-02", 25)]
    made = read_synthetic(workshop.lake)
    assert made is not None and (made.seed, made.people, made.districts, made.entries) == (SEED, PEOPLE, DISTRICTS, 50)
    found = reconcile(installation.settings, project, SystemClock())
    assert found.equal and found.synthetic == 50
    assert [(fact.source_count, fact.gold_count, fact.synthetic) for fact in found.facts] == [(3, 3, 50)]
    assert installation.value("select reconciliation ->> 'synthetic' from published order by id desc limit 1") == "50"


def test_the_lake_verifies_and_can_be_rebuilt_and_goes_on(
    installation: Installation, workshop: Workshop, project: Project, passes: Passes, folder: Path
) -> None:
    declare_demonstration(installation)
    first = installation.visit(days=22)
    add(workshop, folder)
    passes.refresh()
    installation.change("update encounter set voided_at = now(), void_reason = 'x', status = 'entered_in_error'"
                        " where id = %s", first)  # fmt: skip
    installation.visit(days=23)
    passes.refresh()
    expected = [("02-01", 25), ("02-02", 26)]
    assert visits_by_day(workshop) == expected
    watermark = installation.value("select max(watermark_xid) from published")
    findings, _ = bronze_findings(workshop.store, workshop.lake, watermark)
    assert findings and all(finding.ok for finding in findings)
    workshop.lake.execute(f"set variable from_xid = 0::bigint; set variable to_xid = {watermark}::bigint")
    assert [rebuild_differences(workshop.lake, model) for model in project.models] == [0] * len(project.models)
    passes.refresh(rebuild=True)
    assert visits_by_day(workshop) == expected
    assert reconcile(installation.settings, project, SystemClock()).equal


def test_a_lost_synthetic_row_does_not_hide_a_lost_row_of_the_store(
    installation: Installation, workshop: Workshop, project: Project, passes: Passes, folder: Path
) -> None:
    declare_demonstration(installation)
    visit = installation.visit(days=22)
    add(workshop, folder)
    passes.refresh()
    workshop.lake.execute("delete from lake.marts.fct_visit where encounter_id = -1003")
    assert reconcile(installation.settings, project, SystemClock()).equal
    workshop.lake.execute(f"delete from lake.marts.fct_visit where encounter_id = {visit}")
    installation.visit(days=40)
    passes.refresh()
    found = reconcile(installation.settings, project, SystemClock())
    assert not found.equal and found.facts[0].gold_count == found.facts[0].source_count - 1


def test_they_come_once_and_whole(installation: Installation, workshop: Workshop, folder: Path) -> None:
    declare_demonstration(installation)
    installation.visit()
    with duckdb.connect() as connection:
        wrong = folder / "area-03"
        wrong.mkdir()
        connection.execute(f"copy (select -1 as feed_id, 5 as key, '{{}}' as new_row) to '{wrong / 'visit.parquet'}'")
    with pytest.raises(PassRefused, match="keys of the store"):
        add(workshop, folder)
    assert rows(workshop, "select count(*) from lake.bronze.change where key < 0") == [(0,)]
    (wrong / "visit.parquet").unlink()
    add(workshop, folder)
    with pytest.raises(PassRefused, match="already"):
        add(workshop, folder)


def test_a_long_statement_outlasts_the_limit_of_idle_transactions(
    installation: Installation, workshop: Workshop
) -> None:
    """The catalogue's session waits in its transaction for as long as DuckDB works."""
    installation.visit()
    role = f'alter role kmis_lake in database "{installation.settings.database}"'
    with admin_connection(installation.settings) as connection:
        connection.execute(f"{role} set idle_in_transaction_session_timeout = '100ms'")
    with open_reader(installation.settings) as reader, psycopg.connect(installation.settings.dsn("kmis_lake")) as other:
        lake = reader.connection
        lake.begin()
        before = lake.execute("select count(*) from lake.bronze.change").fetchone()
        other.execute("select 1")
        time.sleep(0.5)  # lint: what is tried is a limit of time
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            other.execute("select 1")
        assert lake.execute("select count(*) from lake.bronze.change").fetchone() == before
        lake.rollback()
