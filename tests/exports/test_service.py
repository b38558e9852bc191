"""Files out of the query service: rows, totals, passport and name of the same selection and snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook

from exports import service as made_by
from exports.order import Format, MadeFile, Order
from exports.service import TotalsDiffer, differing, make_file
from exports.texts import Language
from kmis.clock import FixedClock
from kmis.query import Scope, ScopeRequired, Selection, SnapshotUnknown
from tests.exports import rows
from tests.kmis.query import small_lake
from tests.kmis.query.conftest import NOON, Place, open_place

JANUARY = Selection(date(2026, 1, 1), date(2026, 1, 31))
REGION = Scope(1, frozenset(small_lake.ORGANISATIONS), show_identifiers=True)
PRODUCTS = ("XLS-01", "XLS-02", "REP-01", "REP-02", "DASH-01")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("small_lake")
    opened = open_place(folder, small_lake.make(folder))
    yield opened
    opened.service.close()


def order(place: Place, product: str, language: Language = "kk", format_: Format = "xlsx", **changes: object) -> Order:
    wanted = {"selection": JANUARY, "scope": REGION, "snapshot": place.snapshot, "measure": None} | changes
    return Order(product, language=language, user_label="Әлиев Ә.", format=format_, **wanted)  # type: ignore[arg-type] # the changes of a test


def make(place: Place, folder: Path, wanted: Order) -> MadeFile:
    return make_file(place.service, wanted, folder, clock=FixedClock(NOON))


@pytest.mark.parametrize("language", ["kk", "ru"])
@pytest.mark.parametrize(
    "product",
    [pytest.param(name, marks=pytest.mark.requirement(name)) for name in PRODUCTS],
)
def test_every_product_has_a_file_whose_rows_make_its_figures(
    place: Place, tmp_path: Path, product: str, language: Language
) -> None:
    made = make(place, tmp_path, order(place, product, language))
    book = load_workbook(made.path)
    data, passport = book.worksheets[0], dict(book["Паспорт"].iter_rows(min_row=2, values_only=True))
    assert data.title.startswith(product)
    assert data.max_row - 1 == made.rows == passport["Жол саны" if language == "kk" else "Строк"]
    figures = place.service.figures(product, JANUARY, REGION, place.snapshot)
    entry = place.service.catalogue.product(product)
    columns = entry.cell_columns if entry.unload == "cells" else entry.columns
    for index, column in enumerate(columns, start=1):
        if column.measure and entry.measure(column.measure).additive:
            values = [row[0] for row in data.iter_rows(min_row=2, min_col=index, max_col=index, values_only=True)]
            assert sum(values) == figures.value(column.measure)
    assert entry.passport.text(language).period_date in passport.values()
    assert made.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()


@pytest.mark.parametrize("format_", ["pdf", "docx", "xls"])
@pytest.mark.requirement("REP-01")
@pytest.mark.requirement("REP-02")
def test_reports_come_in_every_format(place: Place, tmp_path: Path, format_: Format) -> None:
    for product in ("REP-01", "REP-02"):
        made = make(place, tmp_path, order(place, product, format_=format_))
        assert made.path.suffix == f".{format_}"
        assert made.path.stat().st_size > 10_000


def test_the_name_says_product_period_place_and_snapshot(place: Place, tmp_path: Path) -> None:
    name = make(place, tmp_path, order(place, "XLS-02")).name
    assert name == f"XLS-02_zabolevaemost-spisok_2026-01_all_{place.snapshot}.xlsx"
    organisation = str(min(small_lake.ORGANISATIONS))
    drilled = JANUARY.drill("organisation", organisation)
    narrowed = make(place, tmp_path, order(place, "XLS-02", selection=drilled))
    assert narrowed.name.isascii()
    assert "_all_" not in narrowed.name


def test_a_narrower_selection_gives_only_its_rows(place: Place, tmp_path: Path) -> None:
    parts = []
    for organisation in small_lake.ORGANISATIONS:
        selection = JANUARY.drill("organisation", str(organisation))
        parts.append(make(place, tmp_path / str(organisation), order(place, "XLS-02", selection=selection)).rows)
    assert sum(parts) == make(place, tmp_path, order(place, "XLS-02")).rows


def test_the_rows_behind_one_figure(place: Place, tmp_path: Path) -> None:
    figure = place.service.figures("XLS-02", JANUARY, REGION, place.snapshot).value("injuries")
    made = make(place, tmp_path, order(place, "XLS-02", measure="injuries"))
    assert made.rows == figure


def test_the_same_snapshot_gives_the_same_rows_after_more_changes(tmp_path: Path) -> None:
    old = small_lake.make(tmp_path, visits=60)
    new = small_lake.add_visit(tmp_path, 9001)
    opened = open_place(tmp_path, old)
    opened.board.publish(new)
    contents = []
    for attempt, snapshot in (("before", old), ("after", new), ("as of", old)):
        made = make(opened, tmp_path / attempt, order(opened, "REP-02", snapshot=snapshot))
        contents.append(list(load_workbook(made.path).worksheets[0].iter_rows(values_only=True)))
    opened.service.close()
    before, after, again = contents
    assert before == again
    assert len(after) == len(before) + 1


def test_without_a_scope_or_with_an_unknown_snapshot_there_is_no_file(place: Place, tmp_path: Path) -> None:
    with pytest.raises(ScopeRequired):
        make(place, tmp_path, order(place, "XLS-02", scope=Scope(1, frozenset())))
    with pytest.raises(SnapshotUnknown):
        make(place, tmp_path, order(place, "XLS-02", snapshot=999))
    assert rows.names_in(tmp_path) == []


def test_rows_that_do_not_make_the_figure_give_no_file(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_by, "differing", lambda *_: ["diagnoses"])
    with pytest.raises(TotalsDiffer, match="diagnoses"):
        make(place, tmp_path, order(place, "XLS-02"))
    assert rows.names_in(tmp_path) == []


def test_a_difference_of_one_is_found(place: Place, tmp_path: Path) -> None:
    entry = place.service.catalogue.product("XLS-02")
    summary = place.service.summary("XLS-02", JANUARY, REGION, place.snapshot)
    totals = {line.measure.name: line.measure.value for line in summary.lines if line.label is None}
    control = made_by.Control(totals={name: int(value or 0) for name, value in totals.items()})
    assert differing(entry, entry.columns, summary, control) == []
    control.totals["diagnoses"] += 1
    assert differing(entry, entry.columns, summary, control) == ["diagnoses"]


def test_identifiers_are_empty_without_the_right(place: Place, tmp_path: Path) -> None:
    hidden = Scope(1, REGION.organisation_ids, show_identifiers=False)
    made = make(place, tmp_path, order(place, "XLS-02", scope=hidden))
    sheet = load_workbook(made.path).worksheets[0]
    entry = place.service.catalogue.product("XLS-02")
    for index, column in enumerate(entry.columns, start=1):
        if column.identifier:
            cells = sheet.iter_rows(min_row=2, min_col=index, max_col=index, values_only=True)
            assert {cell[0] for cell in cells} == {None}, column.name
