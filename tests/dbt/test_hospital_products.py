"""The hospital products over a lake that the models built: figures, their rows, their parts, and a count by hand."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from openpyxl import load_workbook

from exports.order import Format, Order
from exports.service import make_file
from kmis import lake as lakes
from kmis.catalogue.models import Measure
from kmis.clock import FixedClock
from kmis.query import Published, QueryService, Scope, Selection
from kmis.settings import Settings
from tests.dbt.bronze_fixture import Store, create_region
from tests.dbt.care_fixture import narrowed
from tests.dbt.conftest import Lake
from tests.dbt.hospital_fixture import MODELS, Hospitals, HospitalWork, create_hospitals

TODAY = date(2023, 3, 20)
NOON = datetime(2023, 3, 20, 7, tzinfo=UTC)
MARCH = Selection(date(2023, 3, 1), date(2023, 3, 31))
PRODUCTS = ("DASH-07", "DASH-08", "LIVE-05", "REP-19", "XLS-19", "XLS-22")
# Dimensions of which a row may stand in one member only, so that parts add up.
OPENED = (
    "region",
    "organisation",
    "department",
    "bed_profile",
    "hospital_kind",
    "admission_type",
    "icd10_class",
    "sex",
)


@pytest.fixture
def lake(lake: Lake) -> Lake:
    """The empty lake with the models that the hospital's products read."""
    return narrowed(lake, *MODELS, "fct_referral")


def at(day: int, hour: int = 5) -> datetime:
    """A moment of the day of March 2023, in UTC."""
    return datetime(2023, 3, day, hour, tzinfo=UTC)


class Board:
    """One published snapshot."""

    def __init__(self, snapshot_id: int) -> None:
        self.one = Published(snapshot_id, 1, NOON, NOON, 0.0, "ok")

    def current(self) -> Published:
        return self.one

    def by_snapshot(self, snapshot_id: int) -> Published:
        return self.one


def ask_over(lake: Lake, folder: Path) -> tuple[QueryService, int]:
    """A query service over a copy of the lake's catalogue, since a file is open in one instance only."""
    lake.connection.execute("checkpoint __ducklake_metadata_lake")
    source = lake.runner.folder / "catalogue.ducklake"
    shutil.copyfile(source, folder / "catalogue.ducklake")

    def attach(connection: duckdb.DuckDBPyConnection, _: Settings) -> None:
        lakes.load_extensions(connection)
        connection.execute(f"attach 'ducklake:{folder}/catalogue.ducklake' as lake (read_only)")

    snapshot = lakes.current_snapshot(lake.connection)
    service = QueryService(
        Settings(home=folder / "home"), clock=FixedClock(NOON), published=Board(snapshot), attach=attach
    )
    return service, snapshot


def create_month(hospitals: Hospitals) -> None:
    """March in the first hospital: five stays, one open, one death; arrivals of the 20th; beds of the fixture."""
    hospital, people = hospitals.organisations[0], hospitals.region.patients
    hospitals.region.store.begin()
    hospitals.stay(hospital, people[0], at(1) - timedelta(days=10), at(5))
    moved = hospitals.stay(hospital, people[1], at(3), at(9), code="J06.9")
    hospitals.move(moved, at(5))
    hospitals.operation(moved, at(5, 8))
    hospitals.stay(hospital, people[2], at(10), at(11, 4), outcome="died", admission="planned")
    hospitals.death(people[2], at(11, 4), hospital)
    hospitals.stay(hospital, people[3], at(18))
    hospitals.stay(hospital, people[4], at(20, 6), at(20, 7), outcome="transferred")
    hospitals.arrival(hospital, people[5], at(19, 10), "waiting", zone="red")
    hospitals.arrival(hospital, people[6], at(20, 1), "refused", minutes=30)
    hospitals.arrival(hospital, people[7], at(20, 2), "admitted", minutes=50)
    hospitals.arrival(hospital, people[8], at(20, 3), "admitted", minutes=100)


@pytest.fixture
def month(lake: Lake, tmp_path: Path) -> Iterator[tuple[QueryService, int, Scope]]:
    """The query service over the month, for a reader of both hospitals."""
    hospitals = create_hospitals(create_region(Store()))
    create_month(hospitals)
    lake.load(hospitals.region.store)
    service, snapshot = ask_over(lake, tmp_path)
    yield service, snapshot, Scope(1, frozenset(hospitals.organisations), show_identifiers=True)
    service.close()


@pytest.mark.requirement("DASH-07", "DASH-08", "LIVE-05", "XLS-19", "XLS-22", "REP-19")
def test_the_figures_are_those_of_a_count_by_hand(month: tuple[QueryService, int, Scope]) -> None:
    service, snapshot, scope = month

    def figures(product_id: str, selection: Selection, *names: str) -> list[float | int | None]:
        found = service.figures(product_id, selection, scope, snapshot)
        return [found.value(name) for name in names]

    assert figures(
        "DASH-07", MARCH, "admissions_count", "planned_count", "emergency_percent", "transferred_count",
        "operated_percent", "in_hospital_now",
    ) == [4, 1, 75, 1, 25, 1]  # fmt: skip
    assert figures("XLS-19", MARCH, "admissions", "admissions_emergency", "share_emergency_percent") == [4, 3, 75]
    lethality = figures(
        "XLS-22", MARCH, "left_hospital_total", "deaths_total", "deaths_within_24h", "lethality_percent"
    )
    assert lethality == [4, 1, 1, 25]
    assert figures("REP-19", MARCH, "deaths_total", "deaths_within_24h", "autopsies", "autopsy_percent") == [
        1,
        1,
        1,
        100,
    ]
    # 1-4 of the first, 3-8 of the second, the 10th, 18-20 of the open one, the 20th: days that have come
    assert figures("DASH-08", MARCH, "bed_days", "bed_days_available") == [4 + 6 + 1 + 3 + 1, 24 * 20]
    assert figures("DASH-08", MARCH, "bed_capacity", "occupied_beds", "free_beds") == [24, 1, 23]
    assert figures("DASH-08", MARCH, "average_beds", "bed_turnover", "days_of_bed_work", "bed_idle_days") == [
        24, 4 / 24, 15 / 24, (480 - 15) / 4,
    ]  # fmt: skip
    assert figures("DASH-08", MARCH, "average_length_of_stay_days", "treated_bed_days") == [(14 + 6 + 1 + 1) / 4, 22]
    today = Selection(TODAY, TODAY)
    assert figures("LIVE-05", today, "presentations_today", "waiting_now", "waiting_red", "hospitalised_today") == [
        3, 1, 1, 2,
    ]  # fmt: skip
    assert figures("LIVE-05", today, "median_wait_minutes", "occupied_now", "free_beds_now", "icu_free_beds_now") == [
        50, 1, 23, 4,
    ]  # fmt: skip
    attention = service.figures("LIVE-05", today, scope, snapshot)
    assert attention["waiting_red"].attention == "critical"
    assert attention["free_beds_now"].attention == "none"


@pytest.mark.requirement("DASH-08")
def test_bed_days_of_the_days_add_up_and_no_day_counts_before_it_comes(month: tuple[QueryService, int, Scope]) -> None:
    service, snapshot, scope = month
    days = {point.start: point for point in service.trend("DASH-08", MARCH, scope, snapshot, "day")}
    assert max(days) == TODAY
    assert sum(point.value("bed_days") or 0 for point in days.values()) == 15
    assert [days[date(2023, 3, day)].value("bed_days") for day in (1, 3, 4, 5, 10, 20)] == [1, 2, 2, 1, 1, 2]
    assert {point.value("bed_days_available") for point in days.values()} == {24}
    assert days[date(2023, 3, 3)].value("bed_occupancy_percent") == pytest.approx(100 * 2 / 24)
    assert days[date(2023, 3, 3)].value("average_occupied_beds") == 2
    (whole,) = service.trend("DASH-08", MARCH, scope, snapshot, "month")
    assert whole.value("bed_days") == 15
    assert whole.value("average_beds") == 24
    ahead = Selection(date(2023, 3, 25), date(2023, 3, 31))
    figures = service.figures("DASH-08", ahead, scope, snapshot)
    assert [figures.value(name) for name in ("bed_days", "bed_occupancy_percent")] == [0, None]
    hospital = MARCH.drill("organisation", str(min(scope.organisation_ids)))
    by_ward = {row.label.ru: row for row in service.breakdown("DASH-08", hospital, "department", scope, snapshot).rows}
    assert by_ward["icu"].value("bed_days") == 4
    assert by_ward["icu"].value("bed_occupancy_percent") == 100 * 4 / 40
    by_site = service.breakdown("DASH-08", MARCH, "site", scope, snapshot).rows
    assert {row.value("bed_occupancy_percent") for row in by_site} == {None}


@pytest.mark.requirement("XLS-19", "XLS-22", "REP-19")
def test_the_files_hold_rows_that_add_up_and_ratios_on_their_own_sheet(
    month: tuple[QueryService, int, Scope], tmp_path: Path
) -> None:
    service, snapshot, scope = month
    orders: tuple[tuple[str, Format, int], ...] = (
        ("XLS-19", "xlsx", 4), ("XLS-22", "xlsx", 4), ("REP-19", "xlsx", 1), ("REP-19", "pdf", 1),
        ("REP-19", "docx", 1), ("REP-19", "xls", 1), ("DASH-08", "xlsx", 6),
    )  # fmt: skip
    totals: dict[object, object] = {}
    for product_id, format_, rows in orders:
        wanted = Order(product_id, MARCH, scope, snapshot, "kk", "Ә.", format=format_)
        made = make_file(service, wanted, tmp_path / format_, clock=FixedClock(NOON))
        assert made.rows == rows, product_id
        if format_ == "xlsx":
            book = load_workbook(made.path)
            headers = {cell.value for cell in book.worksheets[0][1]}
            ratios = {m.titles.kk for m in service.catalogue.product(product_id).measures if not m.additive}
            assert not headers & ratios, product_id
            lines = [row for sheet in book.worksheets[1:] for row in sheet.iter_rows(values_only=True)]
            totals |= {line[0]: line[3] for line in lines if len(line) > 3 and line[1] is None}
    assert totals["Жалпы өлім-жітім, %"] == 25
    assert totals["Шұғылдардың үлесі, %"] == 75


def added(service: QueryService, product_id: str, measure: Measure, selection: Selection, scope: Scope,
          snapshot: int) -> tuple[int, float | None]:  # fmt: skip
    """How many rows open behind a figure, and the sum of its column in them where the list has one."""
    with service.row_batches(product_id, selection, scope, snapshot, measure=measure.name) as stream:
        batches = list(stream.batches)
        name = next((column.name for column in stream.columns if column.measure == measure.name), None)
        rows = sum(batch.num_rows for batch in batches)
        assert rows == stream.total
    if name is None:
        return rows, None
    return rows, sum(value for batch in batches for value in batch.column(name).to_pylist())


@pytest.mark.requirement("DASH-07", "DASH-08", "LIVE-05", "XLS-19", "XLS-22", "REP-19")
def test_every_figure_opens_into_its_rows_and_parts(lake: Lake, tmp_path: Path) -> None:
    region = create_region(Store())
    hospitals = create_hospitals(region)
    create_month(hospitals)
    HospitalWork(hospitals, random.Random(4)).batch(70)
    lake.load(region.store)
    service, snapshot = ask_over(lake, tmp_path)
    scope = Scope(1, frozenset(hospitals.organisations), show_identifiers=True)
    whole = Selection(date(2023, 1, 1), date(2024, 12, 31))
    asked = 0
    for product_id in PRODUCTS:
        product = service.catalogue.product(product_id)
        selection = Selection(TODAY, TODAY) if product.period == "day" else whole
        figures = service.figures(product_id, selection, scope, snapshot)
        for measure in product.measures:
            if measure.kind not in ("count", "sum", "days"):
                continue
            rows, total = added(service, product_id, measure, selection, scope, snapshot)
            if measure.kind == "count":
                assert rows == figures.value(measure.name), measure.name
            if total is not None:
                assert total == figures.value(measure.name), measure.name
            asked += 1
        for dimension in sorted(product.selectable & set(OPENED)):
            opened = service.breakdown(product_id, selection, dimension, scope, snapshot).rows
            for measure in product.measures:
                parts = [row.value(measure.name) for row in opened]
                if measure.additive and None not in parts:
                    assert sum(part for part in parts if part is not None) == figures.value(measure.name), (
                        product_id, measure.name, dimension,
                    )  # fmt: skip
    assert asked > 25
    service.close()
