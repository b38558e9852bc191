"""The products of care over the lake that the models make: a figure is its rows and the sum of its parts."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from kmis import lake as lakes
from kmis.catalogue import catalogue
from kmis.clock import FixedClock
from kmis.query import Published, QueryService, Scope, Selection
from kmis.settings import Settings
from tests.dbt.bronze_fixture import Region, Store, create_region
from tests.dbt.care_fixture import CareMutator, narrowed
from tests.dbt.conftest import Lake, emptied

PRODUCTS = (
    "LIVE-01", "LIVE-04", "MAT-05", "MAT-10", "MAT-11", "SIG-01", "SIG-02", "SIG-03", "SIG-04", "SIG-05", "SIG-06",
)  # fmt: skip
RULES = ("SIG-01", "SIG-02", "SIG-03", "SIG-04", "SIG-05", "SIG-06")


@dataclass
class Asked:
    """A query service over a copy of the lake, as of the day of the newest event."""

    service: QueryService
    scope: Scope
    day: date
    snapshot: int

    def selection(self, product_id: str) -> Selection:
        """Two years up to the day; the day alone for a board of the day."""
        board = catalogue().product(product_id).period == "day"
        return Selection(self.day if board else self.day - timedelta(days=760), self.day)


class Known:
    """One published snapshot."""

    def __init__(self, snapshot: int, event_at: datetime) -> None:
        self._published = Published(snapshot, 1, event_at, event_at, 0.0, "ok")

    def current(self) -> Published:
        """The snapshot."""
        return self._published

    def by_snapshot(self, snapshot_id: int) -> Published:
        """The snapshot, whatever is asked."""
        return self._published


def open_service(lake: Lake, folder: Path, event_at: datetime, region: Region) -> Asked:
    """The service over a copy of the lake's catalogue: another instance may not open the file that this one writes."""
    lake.connection.execute("checkpoint __ducklake_metadata_lake")
    shutil.copy(lake.runner.folder / "catalogue.ducklake", folder / "copy.ducklake")

    def attach(connection: duckdb.DuckDBPyConnection, _: Settings) -> None:
        lakes.load_extensions(connection)
        connection.execute(f"attach 'ducklake:{folder / 'copy.ducklake'}' as lake (read_only)")
        connection.execute("set timezone = 'Asia/Oral'")

    snapshot = lakes.current_snapshot(lake.connection)
    service = QueryService(
        Settings(home=folder / "home"), clock=FixedClock(event_at), published=Known(snapshot, event_at), attach=attach
    )
    organisations = frozenset(region.store.tables["organisation"])
    return Asked(service, Scope(1, organisations, show_identifiers=True), event_at.date(), snapshot)


@pytest.fixture(scope="module")
def asked(scratch_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Random care of two years, and something of each board on the newest day."""
    facts = {fact.table for fact in catalogue().facts.values()}
    used = frozenset().union(*(catalogue().lineage[product] for product in PRODUCTS))
    lake = emptied(scratch_lake)
    care = narrowed(lake, *used & {model.name for model in lake.project.models}, *facts & used)
    region = create_region(Store())
    mutator = CareMutator(region, random.Random(4))
    mutator.batch(160)
    store, work = region.store, mutator.care
    newest = datetime(2025, 1, 15, 9, tzinfo=UTC)
    clinic, mother, other = region.polyclinics[0], region.patients[0], region.patients[1]
    store.begin()
    pregnancy = work.pregnancy(clinic, other, newest.date() - timedelta(days=200), weeks=6, risk_group="high")
    work.pregnancy(clinic, mother, newest.date(), weeks=10, risk_group="low")
    work.examination(pregnancy, newest, 2)
    stay = work.stay(clinic, other, newest, "O14.1")
    work.sign(stay, newest, 180)
    work.birth(clinic, other, newest, pregnancy, mode="caesarean_emergency")
    work.call(clinic, mother, newest)
    for rule in RULES:
        work.case(clinic, mother, newest - timedelta(days=9), rule, "death" if rule == "SIG-06" else "hospital_stay")
    care.load(store)
    opened = open_service(lake, tmp_path_factory.mktemp("care"), newest, region)
    yield opened
    opened.service.close()


def check_figures(asked: Asked, product_id: str) -> None:
    """Each additive measure equals its rows, and the sum of its parts by the first level."""
    service, selection = asked.service, asked.selection(product_id)
    product = catalogue().product(product_id)
    figures = service.figures(product_id, selection, asked.scope, asked.snapshot)
    assert any(figures.value(measure.name) for measure in product.measures), product_id
    parts = service.breakdown(product_id, selection, "organisation", asked.scope, asked.snapshot)
    for measure in product.measures:
        if not measure.additive:
            continue
        value = figures.value(measure.name)
        page = service.rows(product_id, selection, asked.scope, asked.snapshot, measure=measure.name, page_size=500)
        if measure.kind == "count" or value == 0:
            assert page.total == value, (product_id, measure.name)
        else:
            assert 0 < page.total <= (value or 0), (product_id, measure.name)
        values = [row.value(measure.name) for row in parts.rows]
        assert sum(part or 0 for part in values) == value, (product_id, measure.name)


@pytest.mark.requirement(*PRODUCTS)
def test_every_figure_of_care_is_its_rows_and_its_parts(asked: Asked) -> None:
    for product_id in PRODUCTS:
        check_figures(asked, product_id)


@pytest.mark.requirement("LIVE-01", "MAT-05", "MAT-10", "MAT-11", "SIG-01")
def test_every_dimension_of_care_opens(asked: Asked) -> None:
    for product_id in PRODUCTS:
        for dimension in sorted(catalogue().product(product_id).selectable):
            asked.service.breakdown(product_id, asked.selection(product_id), dimension, asked.scope, asked.snapshot)


@pytest.mark.requirement("LIVE-01", "LIVE-04")
def test_the_boards_of_the_day_show_what_happened_today(asked: Asked) -> None:
    board = asked.service.figures("LIVE-01", asked.selection("LIVE-01"), asked.scope, asked.snapshot)
    told = ("registered_today", "visits_today", "admitted_today", "deliveries_today", "caesarean_today")
    assert [board.value(name) for name in told] == [1, 1, 1, 1, 1]
    assert (board.value("critical_condition_now") or 0) >= 1
    assert (board.value("not_attended_today") or 0) >= 1
    load = asked.service.figures("LIVE-04", asked.selection("LIVE-04"), asked.scope, asked.snapshot)
    assert load.value("home_calls_today") == 1
    assert (load.value("home_calls_open_now") or 0) >= 1


@pytest.mark.requirement(*RULES)
def test_a_sheet_counts_the_cases_of_its_rule_and_those_that_are_overdue(asked: Asked) -> None:
    for rule in RULES[1:5]:
        figures = asked.service.figures(rule, asked.selection(rule), asked.scope, asked.snapshot)
        assert [figures.value(name) for name in ("cases_total", "open_total", "overdue_total")] == [1, 1, 1]
        before = Selection(asked.day - timedelta(days=760), asked.day - timedelta(days=8))
        figures = asked.service.figures(rule, before, asked.scope, asked.snapshot)
        assert [figures.value(name) for name in ("cases_total", "overdue_total")] == [1, 0], "told as of that day"
