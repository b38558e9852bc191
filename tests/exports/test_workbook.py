"""The layout rules of an unload, checked cell by cell with openpyxl."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from exports.columns import ColumnMismatch, ColumnSpec, unique_titles
from exports.workbook import DataSheet, RowsDiffer, sheet_sizes, write_xlsx
from tests.exports import rows


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("book") / "unload.xlsx"
    write_xlsx(target, rows.sheet(), rows.SUMMARY, rows.passport, "kk")
    return target


@pytest.fixture(scope="module")
def book(file: Path) -> Workbook:
    return load_workbook(file)


def test_sheets_stand_in_order_with_legal_names(book: Workbook) -> None:
    first, *_, last = book.sheetnames
    assert first == "XLS-02 Сырқаттанушылық тізім жы"
    assert len(first) <= 31
    assert "Свод" in book.sheetnames[1]
    assert last == "Паспорт"


def test_header_is_unique_frozen_filtered_and_the_only_row_above_the_data(book: Workbook) -> None:
    sheet = book.worksheets[0]
    header = [cell.value for cell in sheet[1]]
    assert header[0] == "ЖСН"
    assert len(set(header)) == len(header) == len(rows.COLUMNS)
    assert header[2:4] == ["Ұйым", "Ұйым 2"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:K4"
    assert sheet.dimensions == "A1:K4"
    assert all(cell.font.bold for cell in sheet[1])


def test_no_merged_cells_no_blank_or_total_row_no_line_break(book: Workbook) -> None:
    for sheet in book:
        assert not sheet.merged_cells.ranges
        for row in sheet.iter_rows(values_only=True):
            assert any(value is not None for value in row)
            assert not any("\n" in value or "\r" in value for value in row if isinstance(value, str))
    assert book.worksheets[0].max_row == len(rows.ROWS) + 1


def test_text_keeps_its_zeros_and_stays_text(book: Workbook) -> None:
    sheet = book.worksheets[0]
    assert sheet["A2"].value == "007001010003"
    assert (sheet["A2"].data_type, sheet["A2"].number_format) == ("s", "@")
    for cell in (sheet["B2"], sheet["D2"], sheet["D3"], sheet["D4"]):
        assert (cell.data_type, cell.number_format) == ("s", "@")
    assert sheet["B2"].value.startswith("=HYPERLINK(1) Әлия & <Ұлы>")
    assert sheet["B3"].value == "Ғалым Өмірбек"


def test_dates_are_dates_and_numbers_are_numbers(book: Workbook) -> None:
    sheet = book.worksheets[0]
    assert sheet["E2"].value == datetime(1985, 6, 30)
    assert sheet["E2"].number_format == "dd.mm.yyyy"
    assert sheet["F2"].value == datetime(2023, 6, 30, 23, 30), "Oral was five hours ahead of UTC"
    assert sheet["F4"].value == datetime(2024, 3, 1, 5, 0), "and still is"
    assert sheet["G2"].value == "08:05"
    assert (sheet["H2"].value, sheet["I2"].value) == (38, 12.5)
    assert (sheet["J2"].value, sheet["J2"].number_format) == (1500.5, "#,##0.00")
    assert (sheet["K2"].value, sheet["K3"].value) == (1, 0)


def test_unknown_is_an_empty_cell_and_never_nought(book: Workbook) -> None:
    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet[4]][:6] == [None, None, None, "@x", None, datetime(2024, 3, 1, 5, 0)]
    assert sheet["H4"].value == 0
    assert (sheet["I3"].value, sheet["I4"].value, sheet["J4"].value, sheet["K4"].value) == (None,) * 4
    assert sheet["E3"].value is None, "Excel has no dates before 1900"


def test_columns_are_wide_enough_for_every_word_of_the_header(book: Workbook) -> None:
    sheet = book.worksheets[0]
    for index, column in enumerate(rows.COLUMNS):
        width = sheet.column_dimensions["ABCDEFGHIJK"[index]].width
        assert width >= max(len(word) for word in column.title.split())


def test_every_sheet_prints_on_a4_landscape_with_its_header_repeated(book: Workbook) -> None:
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        assert int(sheet.page_setup.paperSize) == 9
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert "&P / &N" in str(sheet.oddFooter.right.text)


def test_ratios_stand_on_the_summary_with_numerator_and_denominator(book: Workbook) -> None:
    lines = list(book.worksheets[1].iter_rows(values_only=True))
    assert lines[1] == ("Өлім-жітім, %", 50, 1, 2)
    assert lines[2][0] == "=Барлығы"
    assert book.worksheets[1]["A3"].data_type == "s"


def test_passport_holds_rows_and_control_totals(book: Workbook) -> None:
    assert dict(book["Паспорт"].iter_rows(min_row=2, values_only=True)) == {"Жол саны": 3, "tariff": 1501, "died": 1}


def test_control_counts_what_excel_cannot_hold(tmp_path: Path) -> None:
    long = [{**rows.ROWS[0], "name": "ұ" * 40_000}]
    control = write_xlsx(tmp_path / "x.xlsx", rows.sheet(long + rows.ROWS), rows.SUMMARY, rows.passport, "ru")
    assert (control.rows, control.early_dates, control.shortened) == (4, 1, 1)
    cell = load_workbook(tmp_path / "x.xlsx").worksheets[0]["B2"].value
    assert len(cell) == 32_767
    assert cell.endswith("ұ…")


def test_an_empty_list_is_a_header_without_rows(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "x.xlsx", rows.sheet([]), rows.SUMMARY, rows.passport, "ru")
    sheet = load_workbook(tmp_path / "x.xlsx").worksheets[0]
    assert sheet.dimensions == sheet.auto_filter.ref == "A1:K1"


def test_a_longer_list_goes_on_in_further_sheets(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "x.xlsx", rows.long_sheet(25_000), rows.SUMMARY, rows.passport, "ru", sheet_rows=10_001)
    book = load_workbook(tmp_path / "x.xlsx", read_only=True)
    assert book.sheetnames == ["XLS-02 Тізім", "XLS-02 Тізім (2)", "XLS-02 Тізім (3)", "Свод", "Паспорт"]
    found = [row[0] for name in book.sheetnames[:3] for row in book[name].iter_rows(min_row=2, values_only=True)]
    assert found == list(range(25_000))
    names = zipfile.ZipFile(tmp_path / "x.xlsx").read("xl/workbook.xml").decode()
    assert "$A$1:$C$10001" in names
    assert "$A$1:$C$5001" in names


def test_sheet_sizes_fill_a_sheet_to_its_last_row() -> None:
    assert sheet_sizes(0, 1_048_576) == [0]
    assert sheet_sizes(1_048_575, 1_048_576) == [1_048_575]
    assert sheet_sizes(1_048_576, 1_048_576) == [1_048_575, 1]


@pytest.mark.parametrize("declared", [4_999, 5_001])
def test_rows_that_are_not_the_figure_give_no_file(tmp_path: Path, declared: int) -> None:
    with pytest.raises(RowsDiffer):
        write_xlsx(tmp_path / "x.xlsx", rows.long_sheet(5_000, declared), rows.SUMMARY, rows.passport, "ru")
    assert rows.names_in(tmp_path) == []


def test_a_missing_column_gives_no_file(tmp_path: Path) -> None:
    data = DataSheet("XLS-02", "x", [ColumnSpec("absent", "Absent", "text")], rows.numbers(3), 3, "Asia/Oral")
    with pytest.raises(ColumnMismatch, match="absent"):
        write_xlsx(tmp_path / "x.xlsx", data, rows.SUMMARY, rows.passport, "ru")
    assert rows.names_in(tmp_path) == []


def test_repeated_titles_get_numbers_that_are_free() -> None:
    titles = ["А", "А 2", "а", "Б\nВ"]
    specs = [ColumnSpec(str(index), title, "text") for index, title in enumerate(titles)]
    assert unique_titles(specs) == ["А", "А 2", "а 3", "Б В"]


def test_the_archive_is_sound(file: Path) -> None:
    """The pieces compressed apart are one member whose checksum holds."""
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "[Content_Types].xml"
