"""A small region whose other districts only the lake holds: figures, reconciliation, verification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from kmis.cli.region import add_districts
from kmis.clock import SystemClock
from kmis.postgres import admin_connection, ensure_server
from kmis.query import QueryService, Scope, Selection
from kmis.settings import Settings
from operational import demo
from operational.demo.images import DIRECTORIES
from operational.migrate import migrate
from pipelines.lib.bulk import read_synthetic
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.passes import Passes
from pipelines.lib.project import Project, compile_project
from pipelines.lib.reconcile import reconcile
from pipelines.lib.verify import verify
from pipelines.lib.workshop import Workshop, open_workshop
from tests.pipelines.conftest import own_settings

DATABASE, SEED, STORE, BEYOND = "kmis_region", 7, 300, 600
DOUBLES = 3
BEDS = (
    "select sum(b.beds) from bed_stock as b join organisation as o on o.id = b.organisation_id"
    " where o.code = '2701' and b.valid_to is null"
)
pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


@dataclass
class Region:
    """The installation with 300 people in the store and 600 in the lake only; what it was before they came."""

    settings: Settings
    workshop: Workshop
    project: Project
    loaded: dict[str, int]
    beds: int
    entries: int

    def value(self, statement: str) -> Any:
        with psycopg.connect(self.settings.dsn("kmis_owner")) as connection:
            row = connection.execute(statement).fetchone()
        return None if row is None else row[0]

    def lake(self, statement: str) -> Any:
        row = self.workshop.lake.execute(statement).fetchone()
        return None if row is None else row[0]


@pytest.fixture(scope="module")
def region(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    own = own_settings(settings, tmp_path_factory.mktemp("region"), DATABASE)
    ensure_server(own)
    migrate(own)
    loaded = demo.load(own, population=STORE, years=1, seed=SEED)
    with psycopg.connect(own.dsn("kmis_owner")) as connection:
        row = connection.execute(BEDS).fetchone()
    entries = add_districts(own, BEYOND, 1, SEED, lambda *_: None, lambda _: None)
    with open_workshop(own, SystemClock()) as workshop:
        project = compile_project(DbtRunner(own, workshop.instance))
        Passes(workshop, project).refresh()
        yield Region(own, workshop, project, loaded.rows, row[0] if row else 0, entries)
    with admin_connection(settings) as connection:
        connection.execute(f'drop database "{DATABASE}" with (force)')


def test_the_store_holds_their_organisations_and_staff_and_none_of_them(region: Region) -> None:
    for table in (*DIRECTORIES, "patient", "schedule", "encounter", "hospital_stay"):
        count = region.value(f"select count(*) from {table}")
        assert count > region.loaded[table] if table in DIRECTORIES else count == region.loaded[table], table
    with psycopg.connect(region.settings.dsn("kmis_owner")) as connection:
        tree = connection.execute(
            "select o.code, p.code from organisation as o join organisation_version as v on v.organisation_id = o.id"
            " left join organisation as p on p.id = v.parent_id where o.kind = 'district' order by 1"
        ).fetchall()
        number = connection.execute("select nextval('patient_no_seq')").fetchone()
        connection.rollback()
    assert tree == [("273200", "2700"), ("2750", "2700")]
    assert region.value(BEDS) > region.beds
    assert number is not None and number[0] == region.loaded["patient"] + BEYOND + 2 * DOUBLES + 1


def test_the_lake_says_what_it_holds(region: Region) -> None:
    made = read_synthetic(region.workshop.lake)
    assert made is not None and (made.seed, made.people, made.districts) == (SEED, BEYOND, 1)
    assert made.entries == region.entries == region.lake("select count(*) from lake.bronze.change where key < 0")
    assert region.lake("select count(*) from lake.bronze.change where (key < 0) <> (feed_id < 0)") == 0
    numbers = region.lake("select count(distinct patient_no) from lake.marts.dim_person")
    assert numbers == region.lake("select max(patient_no) from lake.marts.dim_person")


def test_a_regional_figure_is_that_of_the_store_and_of_the_lake_only(region: Region) -> None:
    with psycopg.connect(region.settings.dsn("kmis_owner")) as connection:
        everywhere = frozenset(int(row[0]) for row in connection.execute("select id from organisation"))
    here = region.value("select count(*) from encounter where status = 'finished' and voided_at is null")
    beyond = region.lake(
        "select count(*) from (select arg_max(new_row, feed_id) as image from lake.bronze.change"
        " where table_name = 'encounter' and key < 0 group by key)"
        " where image ->> 'status' = 'finished' and (image ->> 'voided_at') is null"
    )
    assert here and beyond
    days = region.workshop.lake.execute("select min(event_date), max(event_date) from lake.marts.fct_visit").fetchone()
    assert days is not None
    service = QueryService(region.settings)
    try:
        selection = Selection(days[0] - timedelta(days=1), days[1])
        scope = Scope(1, everywhere, show_identifiers=True)
        figures = service.figures("DASH-01", selection, scope, service.current().snapshot_id)
    finally:
        service.close()
    assert figures.value("visits") == here + beyond


def test_reconciliation_compares_the_store_and_counts_the_rest(region: Region) -> None:
    found = reconcile(region.settings, region.project, SystemClock())
    assert found.equal, [fact for fact in found.facts if not fact.equal]
    assert found.synthetic > 0
    visits = next(fact for fact in found.facts if fact.fact == "fct_visit")
    assert visits.synthetic + visits.gold_count == region.lake("select count(*) from lake.marts.fct_visit")


def test_everything_verifies(region: Region) -> None:
    found = verify(region.settings, region.project)
    assert found.ok, [finding for finding in found.findings if not finding.ok]
