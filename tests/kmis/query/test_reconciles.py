"""A figure is the number of its rows and the sum of its parts, for any selection; cells answer as facts do."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kmis.query import Scope, Selection
from tests.kmis.query import small_lake
from tests.kmis.query.conftest import PRODUCTS, Place

FIRST = date(2026, 1, 1)
KEYS = {
    "region": ["1"],
    "district": ["2", "3"],
    "organisation": ["11", "12", "13"],
    "department": ["10", "21", ""],
    "site": ["10", "20", ""],
    "doctor": ["100", "102"],
    "specialty": ["THER"],
    "sex": ["M", "F"],
    "age_group": ["18-59", "60+"],
    "urban": ["1", "0", ""],
    "visit_reason": ["disease", "chronic"],
    "place": ["home"],
    "icd10_class": ["IX", "X"],
    "icd10_code": ["I10"],
    "icd10_group": ["J00"],
    "injury": ["1"],
    "chronic_group": ["1", ""],
    "first_in_life": ["0"],
    "counted_case": ["1"],
    "appointment_status": ["noshow", "cancelled"],
    "has_referral": ["0"],
    "hour": ["9", "10"],
    "financing_source": ["osms"],
}
ADDITIVE = [
    (product, measure)
    for product, names in {
        "DASH-01": ("visits", "disease_visits", "preventive_visits", "home_visits"),
        "LIVE-04": (
            "booked_today",
            "attended_today",
            "waiting_now",
            "no_shows_today",
            "free_slots_today",
            "visits_today",
            "home_calls_today",
            "home_calls_open_now",
            "home_calls_overdue_now",
            "actives_open_now",
        ),
        "XLS-01": ("diseases_registered", "first_in_life", "male", "female", "attached_population"),
        "XLS-02": ("diagnoses", "diseases_registered", "first_in_life", "injuries"),
        "REP-01": ("bookings_total", "attended_total", "no_show_total", "cancelled_total"),
        "REP-02": ("visits_total", "adults", "children", "signed"),
    }.items()
    for measure in names
]


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, str, Selection, Scope, str]:
    """A product's additive measure, a selection, a scope and a dimension to open it by."""
    product_id, measure = draw(st.sampled_from(ADDITIVE))
    start = FIRST + timedelta(days=draw(st.integers(0, 40)))
    end = start if product_id == "LIVE-04" else start + timedelta(days=draw(st.integers(0, 30)))
    from kmis.catalogue import catalogue

    product = catalogue().product(product_id)
    names = sorted(product.selectable & KEYS.keys())
    filters = {
        name: tuple(draw(st.lists(st.sampled_from(KEYS[name]), min_size=1, max_size=2)))
        for name in draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    }
    path = tuple(
        (name, draw(st.sampled_from(KEYS[name]))) for name in product.drill_dimensions[: draw(st.integers(0, 3))]
    )
    owners = draw(st.sets(st.sampled_from(small_lake.ORGANISATIONS), min_size=1))
    dimension = draw(st.sampled_from(names))
    return product_id, measure, Selection(start, end, path, filters), Scope(1, frozenset(owners)), dimension


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions())
@pytest.mark.requirement("DASH-01", "XLS-01", "XLS-02", "REP-01", "REP-02", "LIVE-04")
def test_figure_rows_and_parts_agree(place: Place, question: tuple[str, str, Selection, Scope, str]) -> None:
    product_id, measure, selection, scope, dimension = question
    ask = place.service
    figure = ask.figures(product_id, selection, scope, place.snapshot).value(measure)
    parts = [row.value(measure) for row in ask.breakdown(product_id, selection, dimension, scope, place.snapshot).rows]
    if figure is None:
        assert all(part is None for part in parts)
        return
    if None not in parts:
        assert sum(part for part in parts if part is not None) == figure
    with ask.row_batches(product_id, selection, scope, place.snapshot, measure=measure) as stream:
        rows = sum(batch.num_rows for batch in stream.batches)
        assert rows == stream.total
    declared = ask.catalogue.product(product_id).measure(measure)
    if declared.kind == "count" or measure != "free_slots_today":
        assert rows == figure


@pytest.mark.parametrize("product_id", PRODUCTS)
def test_columns_of_measures_add_up_to_the_figures(place: Place, region: Scope, product_id: str) -> None:
    ask = place.service
    last = date(2026, 1, 15) if product_id == "LIVE-04" else date(2026, 2, 20)
    selection = Selection(date(2026, 1, 15), last)
    figures = ask.figures(product_id, selection, region, place.snapshot)
    product = ask.catalogue.product(product_id)
    with ask.row_batches(product_id, selection, region, place.snapshot) as stream:
        table = [batch for batch in stream.batches]
    columns = {column.measure: column.name for column in stream.columns if column.measure}
    for measure, column in columns.items():
        added = sum(value for batch in table for value in batch.column(column).to_pylist())
        assert added == figures.value(measure), measure
    assert bool(columns) or product_id == "LIVE-04"
    assert product.main.columns


def test_cells_answer_as_facts_do(
    place: Place, region: Scope, january: Selection, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tests.kmis.query.conftest import open_place

    folder = tmp_path_factory.mktemp("no_cells")
    bare = open_place(folder, small_lake.make(folder, with_aggregates=False))
    day = Selection(date(2026, 1, 15), date(2026, 1, 15))
    for product_id in PRODUCTS:
        selection = day if product_id == "LIVE-04" else january
        for dimension in sorted(place.service.catalogue.product(product_id).selectable):
            rich = place.service.breakdown(product_id, selection, dimension, region, place.snapshot)
            poor = bare.service.breakdown(product_id, selection, dimension, region, bare.snapshot)
            assert rich.rows == poor.rows, (product_id, dimension)
    bare.service.close()


def test_people_are_counted_once_after_a_merge(place: Place, region: Scope) -> None:
    whole = Selection(date(2026, 1, 1), date(2026, 3, 31))
    people = place.service.figures("DASH-01", whole, region, place.snapshot).value("unique_patients")
    assert people == 118  # 120 records, two of them merged into others


def test_trend_adds_up_to_the_figure(place: Place, region: Scope, january: Selection) -> None:
    figure = place.service.figures("DASH-01", january, region, place.snapshot).value("visits")
    for step in ("day", "month"):
        points = place.service.trend("DASH-01", january, region, place.snapshot, step)
        assert sum(point.value("visits") or 0 for point in points) == figure
        assert [point.start for point in points] == sorted(point.start for point in points)
