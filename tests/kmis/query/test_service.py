"""The query service over a small lake: scope, snapshots, drill, labels, rows, unloads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import duckdb
import pytest

from kmis import serving
from kmis.query import (
    LakeUnavailable,
    NothingPublished,
    QueryService,
    QueryTooLong,
    Scope,
    ScopeRequired,
    Selection,
    SelectionError,
    SnapshotUnknown,
)
from kmis.query.store import Limits, Store
from kmis.settings import Settings
from tests.kmis.query import small_lake
from tests.kmis.query.conftest import NOON, PRODUCTS, Place, open_place

DAY = Selection(date(2026, 1, 15), date(2026, 1, 15))


@pytest.mark.parametrize("scope", [None, Scope(1, frozenset()), Scope(1, frozenset(), True)])
@pytest.mark.parametrize("product_id", PRODUCTS)
def test_without_a_scope_nothing_is_answered(place: Place, scope: Scope, product_id: str) -> None:
    ask = place.service
    with pytest.raises(ScopeRequired):
        ask.figures(product_id, DAY, scope, place.snapshot)
    with pytest.raises(ScopeRequired):
        ask.breakdown(product_id, DAY, "organisation", scope, place.snapshot)
    with pytest.raises(ScopeRequired):
        ask.trend(product_id, DAY, scope, place.snapshot)
    with pytest.raises(ScopeRequired):
        ask.rows(product_id, DAY, scope, place.snapshot)
    with pytest.raises(ScopeRequired):
        ask.filter_values(product_id, "doctor", scope, place.snapshot)
    with pytest.raises(ScopeRequired), ask.row_batches(product_id, DAY, scope, place.snapshot):
        pass


@pytest.mark.parametrize("product_id", PRODUCTS)
def test_another_organisations_rows_are_never_seen(place: Place, product_id: str, january: Selection) -> None:
    ask = place.service
    selection = DAY if product_id == "LIVE-04" else january
    own = Scope(1, frozenset({12}), show_identifiers=True)
    seen = ask.rows(product_id, selection, own, place.snapshot, page_size=500)
    at = next(index for index, column in enumerate(seen.columns) if column.name == "organisation")
    assert seen.rows
    assert {row[at] for row in seen.rows} == {"Врачебная амбулатория"}
    other = selection.drill("organisation", "11")
    assert ask.rows(product_id, other, own, place.snapshot).total == 0
    assert not ask.breakdown(product_id, other, "doctor", own, place.snapshot).rows


def test_figures_of_two_scopes_do_not_meet_in_the_cache(place: Place, region: Scope, january: Selection) -> None:
    ask = place.service
    whole = ask.figures("DASH-01", january, region, place.snapshot).value("visits")
    parts = [
        ask.figures("DASH-01", january, Scope(1, frozenset({owner})), place.snapshot).value("visits")
        for owner in small_lake.ORGANISATIONS
    ]
    assert sum(part or 0 for part in parts) == whole


@pytest.mark.requirement("DASH-01")
def test_each_click_narrows_down_to_the_rows(place: Place, region: Scope, january: Selection) -> None:
    ask, chosen, opened = place.service, january, []
    figure = ask.figures("DASH-01", chosen, region, place.snapshot).value("visits")
    while levels := ask.next_levels("DASH-01", chosen):
        rows = ask.breakdown("DASH-01", chosen, levels[0].name, region, place.snapshot).rows
        assert sum(row.value("visits") or 0 for row in rows) == figure
        widest = max(rows, key=lambda row: row.value("visits") or 0)
        figure, chosen = widest.value("visits"), chosen.drill(levels[0].name, widest.key)
        opened.append(levels[0].name)
        assert ask.figures("DASH-01", chosen, region, place.snapshot).value("visits") == figure
    assert opened == ["region", "district", "organisation", "department", "doctor"]
    listed = ask.rows("DASH-01", chosen, region, place.snapshot, page_size=500)
    assert listed.total == len(listed.rows) == figure
    names = ask.path_labels("DASH-01", chosen, region, place.snapshot)
    assert names[0].kk == "Батыс Қазақстан облысы"
    assert [level.name for level in ask.next_levels("DASH-01", chosen.up(3))] == ["department", "site"]


def test_identifiers_are_shown_only_to_those_who_may(place: Place, january: Selection) -> None:
    ask, hidden = place.service, Scope(1, frozenset({11}))
    shown = replace(hidden, show_identifiers=True)
    columns = ask.columns("XLS-02")
    identifying = [index for index, column in enumerate(columns) if column.identifier]
    assert [columns[index].name for index in identifying] == ["iin", "full_name", "birth_date"]
    for row in ask.rows("XLS-02", january, hidden, place.snapshot).rows:
        assert all(row[index] is None for index in identifying)
    for row in ask.rows("XLS-02", january, shown, place.snapshot).rows:
        assert all(row[index] is not None for index in identifying)
    iin = str(ask.rows("XLS-02", january, shown, place.snapshot).rows[0][identifying[0]])
    assert len(iin) == 12
    assert ask.rows("XLS-02", january, shown, place.snapshot, search=iin).found > 0
    assert ask.rows("XLS-02", january, hidden, place.snapshot, search=iin).found == 0
    by_name = ask.rows("XLS-02", january, hidden, place.snapshot, sort="full_name")
    assert by_name.rows == ask.rows("XLS-02", january, hidden, place.snapshot, sort="iin").rows


def test_people_sort_by_their_stored_key_and_are_found_by_name(place: Place, january: Selection) -> None:
    ask, scope = place.service, Scope(1, frozenset({11}), show_identifiers=True)
    at = next(index for index, column in enumerate(ask.columns("REP-02")) if column.name == "full_name")
    listed = ask.rows("REP-02", january, scope, place.snapshot, sort="full_name", page_size=500)
    numbers = [int(str(row[at]).removeprefix("Тегі").split()[0]) for row in listed.rows]
    assert numbers == sorted(numbers, reverse=True)  # the fixture's sort keys run backwards
    # a stored key folds doubled signs, so a number without them is searched
    person = next(str(row[at]) for row in listed.rows if "Тегі10" in str(row[at]))
    found = ask.rows("REP-02", january, scope, place.snapshot, search=person.split()[0])
    assert 0 < found.found < found.total
    assert person in {row[at] for row in found.rows}


def test_names_follow_the_event_date_in_rows_and_the_newest_in_figures(place: Place, region: Scope) -> None:
    ask, owner = place.service, Scope(1, frozenset({11}))
    at = next(index for index, column in enumerate(ask.columns("DASH-01")) if column.name == "organisation")
    for first, name in (
        (date(2026, 1, 1), "Каратобинская районная больница"),
        (date(2026, 2, 1), "Каратобинская многопрофильная больница"),
    ):
        rows = ask.rows("DASH-01", Selection(first, first.replace(day=28)), owner, place.snapshot).rows
        assert {row[at] for row in rows} == {name}
    label = ask.breakdown("DASH-01", DAY, "organisation", region, place.snapshot).rows[0].label
    assert label.ru == "Каратобинская многопрофильная больница"


def test_names_without_a_kazakh_edition_are_marked(place: Place, region: Scope, january: Selection) -> None:
    ask = place.service
    labels = {
        row.key: row.label for row in ask.breakdown("DASH-01", january, "icd10_class", region, place.snapshot).rows
    }
    assert labels["IX"].kazakh_missing
    assert labels["IX"].marked("kk") == "Болезни кровообращения *"
    assert labels["IX"].marked("ru") == "Болезни кровообращения"
    assert list(labels) == ["IX", "X", "XIX", ""]  # Roman order, the unknown last
    kinds = ask.breakdown("DASH-01", january, "visit_reason", region, place.snapshot).rows
    assert [row.label.marked("kk") for row in kinds] == ["Ауру", "Профилактика", "Динамическое наблюдение *"]
    at = next(index for index, column in enumerate(ask.columns("DASH-01")) if column.name == "organisation")
    own = Scope(1, frozenset({12}))
    assert {row[at] for row in ask.rows("DASH-01", january, own, place.snapshot, "kk").rows} == {
        "Врачебная амбулатория *"
    }


@pytest.mark.requirement("XLS-01")
def test_rates_keep_their_numerator_and_denominator(place: Place, region: Scope, january: Selection) -> None:
    ask = place.service
    figures = ask.figures("XLS-01", january, region, place.snapshot)
    rate = figures["rate_per_100000"]
    attached = 118 - 11  # the fixture ends every tenth attachment on 16 January
    assert figures.value("attached_population") == rate.denominator == attached
    assert rate.numerator == figures.value("diseases_registered")
    assert rate.value == pytest.approx(100000 * (rate.numerator or 0) / attached)
    early = ask.figures("XLS-01", Selection(date(2026, 1, 1), date(2026, 1, 15)), region, place.snapshot)
    assert early.value("attached_population") == 118
    by_age = ask.breakdown("XLS-01", january, "age_group", region, place.snapshot).rows
    assert sum(row.value("attached_population") or 0 for row in by_age) == attached
    by_class = ask.breakdown("XLS-01", january, "icd10_class", region, place.snapshot).rows
    assert {row.value("attached_population") for row in by_class} == {attached}
    by_doctor = ask.breakdown("XLS-01", january, "doctor", region, place.snapshot).rows
    assert {row.value("rate_per_100000") for row in by_doctor} == {None}


@pytest.mark.requirement("XLS-01")
def test_cells_of_the_morbidity_unload_make_its_figures(place: Place, region: Scope, january: Selection) -> None:
    ask = place.service
    figures = ask.figures("XLS-01", january, region, place.snapshot)
    with ask.row_batches("XLS-01", january, region, place.snapshot, "kk") as stream:
        cells = [row for batch in stream.batches for row in batch.to_pylist()]
        assert len(cells) == stream.total
    assert sum(cell["diseases_registered"] for cell in cells) == figures.value("diseases_registered")
    keys = {
        (c["organisation_code"], c["age_group"], c["injury"], c["chronic_group_number"], c["icd10_code"]) for c in cells
    }
    assert len(keys) == len(cells)
    page = ask.cells("XLS-01", january, region, place.snapshot, "kk", page_size=20)
    assert [list(row) for row in page.rows] == [list(cell.values()) for cell in cells[:20]]


@pytest.mark.requirement("LIVE-04")
def test_board_of_the_day_flags_overload(place: Place, region: Scope) -> None:
    ask = place.service
    assert ask.default_selection("LIVE-04") == DAY
    board = ask.figures("LIVE-04", DAY, region, place.snapshot)
    load = board["schedule_load_percent"]
    assert load.denominator == board.value("places_offered")
    assert load.attention == "none"
    assert board.value("days_to_nearest_slot") is not None
    doctors = ask.breakdown("LIVE-04", DAY, "doctor", region, place.snapshot).rows
    for row in doctors:
        value = row.value("schedule_load_percent")
        expected = "none" if value is None or value < 90 else "critical" if value >= 100 else "attention"
        assert row.measures["schedule_load_percent"].attention == expected
    assert {row.measures["schedule_load_percent"].attention for row in doctors} >= {"none"}
    free = ask.rows("LIVE-04", DAY, region, place.snapshot, measure="free_slots_today")
    at = {column.name: index for index, column in enumerate(free.columns)}
    assert sum(int(str(row[at["free"]])) for row in free.rows) == board.value("free_slots_today")
    assert all(isinstance(start := row[at["slot_time"]], time) and start >= time(12) for row in free.rows)
    by_site = ask.breakdown("LIVE-04", DAY, "site", region, place.snapshot).rows
    assert {row.value("free_slots_today") for row in by_site} == {None}


@pytest.mark.requirement("DASH-01")
def test_shares_are_of_the_whole_selection(place: Place, region: Scope, january: Selection) -> None:
    rows = place.service.breakdown("DASH-01", january, "visit_reason", region, place.snapshot).rows
    shares = [row.value("visits_share") or 0 for row in rows]
    assert sum(shares) == pytest.approx(100)
    assert {row.measures["visits_share"].denominator for row in rows} == {
        place.service.figures("DASH-01", january, region, place.snapshot).value("visits")
    }


def test_summary_has_totals_then_members(place: Place, region: Scope, january: Selection) -> None:
    summary = place.service.summary("XLS-01", january.drill("region", "1"), region, place.snapshot)
    assert summary.dimension == "district"
    names = [measure.name for measure in summary.product.shown_measures]
    assert [line.measure.name for line in summary.lines[: len(names)]] == names
    assert [line.label.key for line in summary.lines if line.label][:: len(names)] == ["2", "3"]


def test_filter_values_are_those_of_the_readers_rows(place: Place, january: Selection) -> None:
    ask, own = place.service, Scope(1, frozenset({12}))
    assert [label.key for label in ask.filter_values("DASH-01", "organisation", own, place.snapshot, january)] == ["12"]
    doctors = ask.filter_values("DASH-01", "doctor", own, place.snapshot, january)
    assert [label.kk for label in doctors] == ["Әлиев Дәурен", "Жақып Нұр", "Иванова Анна", "Өмірбек Сая"]
    found = ask.filter_values("DASH-01", "doctor", own, place.snapshot, january, search="өмір")
    assert [label.key for label in found] == ["102"]
    with pytest.raises(SelectionError):
        ask.filter_values("DASH-01", "iin", own, place.snapshot)


def test_pages_of_a_list_hold_each_row_once(place: Place, region: Scope, january: Selection) -> None:
    ask = place.service
    at = [column.name for column in ask.columns("REP-01")].index("appointment_number")
    first = ask.rows("REP-01", january, region, place.snapshot, page_size=50)
    numbers = [
        row[at]
        for page in range(1, first.total // 50 + 2)
        for row in ask.rows("REP-01", january, region, place.snapshot, page=page, page_size=50).rows
    ]
    assert len(numbers) == len(set(numbers)) == first.total


def test_a_snapshot_keeps_its_figures_while_newer_ones_come(tmp_path: Path, region: Scope) -> None:
    old = small_lake.make(tmp_path, visits=60)
    new = small_lake.add_visit(tmp_path, 9001)
    opened = open_place(tmp_path, old)
    ask, whole = opened.service, Selection(date(2026, 1, 1), date(2026, 3, 31))
    before = ask.rows("DASH-01", whole, region, old).total
    opened.board.publish(new)
    assert ask.current().snapshot_id == new
    for snapshot, visits in ((old, before), (new, before + 1)):
        assert ask.rows("DASH-01", whole, region, snapshot).total == visits
        assert ask.figures("DASH-01", whole, region, snapshot).value("visits") == visits
        assert ask.rows("DASH-01", whole, region, snapshot, search="9001").found == visits - before
    ask.close()


def test_unknown_snapshots_are_refused(place: Place, region: Scope, january: Selection) -> None:
    with pytest.raises(SnapshotUnknown):
        place.service.figures("DASH-01", january, region, 777)
    place.board.publish(778)
    with pytest.raises(SnapshotUnknown):
        place.service.rows("DASH-01", january, region, 778)
    del place.board.known[778]


def test_published_tells_its_age(own_place: Place) -> None:
    own_place.board.clock.at = NOON.replace(minute=1)
    current = own_place.service.current()
    assert (current.age_seconds, current.reconciled) == (60.0, True)
    own_place.board.known.clear()
    with pytest.raises(NothingPublished):
        own_place.service.current()


@pytest.fixture
def served(own_place: Place) -> Iterator[Place]:
    """A serving file beside the lake whose cells say something else, to tell the two apart."""
    folder = own_place.service.settings.serve_dir
    folder.mkdir(parents=True)
    connection = duckdb.connect(":memory:")
    small_lake.attach(connection, own_place.folder)
    connection.execute("create schema other")
    connection.execute(small_lake.aggregates("other"))
    connection.execute("update other.agg_visit_cell set visits = 7 * visits")
    tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'other'").fetchall()
    files = {}
    for (table,) in tables:
        files[table] = serving.file_of(folder, table, own_place.snapshot)
        connection.execute(f"attach '{files[table]}' as serve")
        connection.execute(f"create table serve.{serving.TABLE} as from other.{table}; detach serve")
    connection.close()
    serving.write(folder, own_place.snapshot, files)
    yield own_place


def test_serving_file_answers_what_it_holds(served: Place, region: Scope, january: Selection) -> None:
    ask = served.service
    figure = ask.figures("DASH-01", january, region, served.snapshot).value("visits")
    rows = ask.rows("DASH-01", january, region, served.snapshot).total
    assert figure == 7 * rows
    people = ask.figures("DASH-01", january, region, served.snapshot).value("unique_patients")
    assert people == len(
        {
            row[7]
            for row in ask.rows(
                "DASH-01", january, Scope(1, region.organisation_ids, True), served.snapshot, page_size=500
            ).rows
        }
    )


def test_old_serving_files_are_let_go(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("serving")
    small_lake.make(folder, visits=10)
    settings = Settings(home=folder / "home")
    settings.serve_dir.mkdir(parents=True)
    store = Store(settings, lambda connection, _: small_lake.attach(connection, folder), Limits(serving_files=2))
    shared = serving.file_of(settings.serve_dir, "dim_place", 0)
    duckdb.connect(str(shared)).close()
    for number in range(5):
        own = serving.file_of(settings.serve_dir, "agg_cell", number)
        duckdb.connect(str(own)).close()
        serving.write(settings.serve_dir, number, {"dim_place": shared, "agg_cell": own})
    for number in range(5):
        with store.tables(number):
            pass
    attached = store.fetch("SELECT database_name FROM duckdb_databases() WHERE database_name LIKE 'serve%'", {})
    assert {row[0] for row in attached} == {"serve_agg_cell.3", "serve_agg_cell.4", "serve_dim_place.0"}
    store.close()


def test_a_query_that_takes_too_long_is_stopped(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("slow")
    small_lake.make(folder, visits=10)
    limits = Limits(query_seconds=0.05)
    store = Store(Settings(home=folder / "home"), lambda connection, _: small_lake.attach(connection, folder), limits)
    with pytest.raises(QueryTooLong):
        store.fetch("SELECT sum(sin(a.range)) FROM range(10000000) a, range(1000) b", {})
    assert store.fetch("SELECT 1", {}) == [(1,)]
    store.close()


def test_a_lake_that_cannot_be_reached_is_said_so_and_tried_again(own_place: Place, region: Scope) -> None:
    reachable = False

    def attach(connection: duckdb.DuckDBPyConnection, _: Settings) -> None:
        if not reachable:
            raise duckdb.IOException("connection to the catalogue refused")
        small_lake.attach(connection, own_place.folder)

    ask = QueryService(own_place.service.settings, published=own_place.board, attach=attach)
    with pytest.raises(LakeUnavailable):
        ask.figures("DASH-01", DAY, region, own_place.snapshot)
    reachable = True
    assert ask.figures("DASH-01", DAY, region, own_place.snapshot).value("visits") is not None
    ask.close()
