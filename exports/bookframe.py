"""The book around the rows: everything of a workbook but the rows of its data sheets, made by the Rust
writer.

A data sheet is made with two sample rows; they show which style each column has, and every range of the
book that ends with them is set to the real last row.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from rustpy_xlsxwriter import FastExcel, Format

from exports.columns import TEXT_KINDS, ColumnSpec, Kind, target_schema
from exports.naming import sheet_name
from exports.shared_strings import MEMBER, SharedStrings
from exports.sheetxml import letters
from exports.texts import Language, text

A4 = 9  # paper size index of SpreadsheetML (ECMA-376 part 1, 18.3.1.63)
NUMBER_FORMATS: dict[Kind, str] = {
    "date": "dd.mm.yyyy",
    "datetime": "dd.mm.yyyy hh:mm",
    "integer": "0",
    "money": "#,##0.00",
    "flag": "0",
}
TEXT_FORMAT = 49  # the built-in number format @ (ECMA-376 part 1, 18.8.30)
SAMPLE_END = 3
SERVICE_SHEETS = 2

ServiceCell = str | int | float | None


@dataclass(frozen=True, slots=True)
class DataSheet:
    """The rows of one product: ``total`` is the number of rows that ``batches`` must bring."""

    product_id: str
    short_title: str
    columns: Sequence[ColumnSpec]
    batches: Iterable[pa.RecordBatch]
    total: int
    zone: str


@dataclass(frozen=True, slots=True)
class SummarySheet:
    """The sheet «Свод»: one line per measure (and member), ratios with numerator and denominator."""

    headers: Sequence[str]
    lines: Sequence[Sequence[ServiceCell]]
    widths: Sequence[float]


class BookParts:
    """The members of a made workbook, ready to be written around the rows."""

    def __init__(self, archive: zipfile.ZipFile, columns: Sequence[ColumnSpec], data_sheets: int) -> None:
        self._content = {name: archive.read(name) for name in archive.namelist()}
        self._last = letters(len(columns) - 1)
        self.sheets = [f"xl/worksheets/sheet{number}.xml" for number in range(1, data_sheets + 1)]
        service = [
            f"xl/worksheets/sheet{number}.xml" for number in range(data_sheets + 1, data_sheets + SERVICE_SHEETS + 1)
        ]
        written_later = {*self.sheets, *service, MEMBER}
        self.before = [name for name in self._content if name not in written_later]
        self.after = service

    def shared_strings(self) -> SharedStrings:
        """The table of texts with those of the headers."""
        return SharedStrings(self._content[MEMBER])

    def styles(self) -> dict[int, str]:
        """The style index of each 0-based column that has one, read from the sample row."""
        sheet = self._content[self.sheets[0]].decode()
        found = re.findall(r'<c r="([A-Z]+)2" s="(\d+)"', sheet)
        by_letters = dict(found)
        count = len(re.findall(r'<c r="[A-Z]+1"', sheet))
        return {index: by_letters[letters(index)] for index in range(count) if letters(index) in by_letters}

    def around_rows(self, index: int, rows: int) -> tuple[bytes, bytes]:
        """The XML of a data sheet before and after its rows (from row 2 on)."""
        sheet = self._content[self.sheets[index]].decode()
        if not rows:
            end = sheet.index("</sheetData>")
            return sheet[:end].encode(), sheet[end:].encode()
        start, end = sheet.index('<row r="2"'), sheet.index("</sheetData>")
        sample, real = f'"A1:{self._last}{SAMPLE_END}"', f'"A1:{self._last}{rows + 1}"'
        head = sheet[:start].replace(f"<dimension ref={sample}/>", f"<dimension ref={real}/>")
        foot = sheet[end:].replace(f"<autoFilter ref={sample}/>", f"<autoFilter ref={real}/>")
        foot = re.sub(rf"([A-Z]+)2:\1(?:{SAMPLE_END})\b", rf"\g<1>2:\g<1>{rows + 1}", foot)
        return head.encode(), foot.encode()

    def content(self, name: str, sizes: Sequence[int]) -> bytes:
        """A member, the ranges of the filters set to the real rows."""
        content = self._content[name]
        if name != "xl/workbook.xml":
            return content

        def real(match: re.Match[str]) -> str:
            return f"{match[1]}${self._last}${max(sizes[int(match[2])] + 1, 1)}<"

        pattern = rf'(localSheetId="(\d+)" hidden="1">[^<]*!\$A\$1:)\${self._last}\$\d+<'
        return re.sub(pattern, real, content.decode()).encode()


class BookFrame:
    """Makes the members of one workbook; the passport's lines are known only after the rows have passed."""

    def __init__(self, data: DataSheet, data_sheets: int, summary: SummarySheet, language: Language) -> None:
        self._data = data
        self._data_sheets = data_sheets
        self._summary = summary
        self._language: Language = language

    def parts(self, passport: Sequence[tuple[str, ServiceCell]]) -> BookParts:
        """The members with these lines on the sheet «Паспорт»."""
        schema = target_schema(self._data.columns)
        sample = _sample(schema, SAMPLE_END - 1 if self._data.total else 0)
        made = io.BytesIO()
        book = FastExcel(made, output_format="xlsx").freeze(row=1)
        for number in range(1, self._data_sheets + 1):
            name = sheet_name(self._data.product_id, self._data.short_title, number)
            book.sheet(name, sample, **_data_layout(self._data.columns, schema))
        book.sheet(text("sheet.summary", self._language), self._summary_rows(), **_layout(self._summary.widths))
        book.sheet(text("sheet.passport", self._language), self._passport_rows(passport), **_layout((44.0, 100.0)))
        book.save()
        with zipfile.ZipFile(made) as archive:
            return BookParts(archive, self._data.columns, self._data_sheets)

    def _summary_rows(self) -> list[dict[str, ServiceCell]]:
        lines = self._summary.lines or [[None] * len(self._summary.headers)]
        return [dict(zip(self._summary.headers, line, strict=True)) for line in lines]

    def _passport_rows(self, passport: Sequence[tuple[str, ServiceCell]]) -> list[dict[str, ServiceCell]]:
        field, value = text("passport.field", self._language), text("passport.value", self._language)
        return [
            {field: name, value: " ".join(content.split()) if isinstance(content, str) else content}
            for name, content in passport or [("", None)]
        ]


def _sample(schema: pa.Schema, rows: int) -> pa.Table:
    """Rows with a value in each cell, since an empty cell shows no style. The values are replaced with the
    rows.
    """
    ones, marks = pa.array([1] * rows, pa.int64()), pa.array(["x"] * rows, pa.string())
    arrays = [marks if pa.types.is_string(field.type) else ones for field in schema]
    return pa.Table.from_arrays(arrays, names=schema.names)


def _data_layout(columns: Sequence[ColumnSpec], schema: pa.Schema) -> dict[str, Any]:
    return {
        "dedupe_strings": True,  # for its table of texts, which the rows then fill
        "autofilter": True,
        "header_format": _header_format(),
        "column_widths": [column.characters for column in columns],
        "column_formats": [_cell_format(column.kind) for column in columns],
        "ignore_errors": [
            title for title, column in zip(schema.names, columns, strict=True) if column.kind in TEXT_KINDS
        ],
        "page_setup": _page_setup(),
    }


def _layout(widths: Sequence[float]) -> dict[str, Any]:
    return {
        "header_format": _header_format(),
        "column_widths": list(widths),
        "column_formats": [Format().set_text_wrap().set_align("top") for _ in widths],
        "page_setup": _page_setup(),
    }


def _cell_format(kind: Kind) -> Format:
    if kind in TEXT_KINDS:
        return Format().set_num_format_index(TEXT_FORMAT)
    return Format().set_num_format(NUMBER_FORMATS[kind]) if kind in NUMBER_FORMATS else Format()


def _header_format() -> Format:
    header = Format().set_bold().set_text_wrap().set_align("top")
    return header.set_background_color("#E7EEF3").set_border_bottom("thin")


def _page_setup() -> dict[str, Any]:
    return {
        "landscape": True,
        "paper_size": A4,
        "repeat_rows": 0,
        "fit_to_pages": (1, 0),
        "margins": {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6},
        "footer": "&L&A&R&P / &N",
    }
