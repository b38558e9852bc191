"""The workbook of Excel 97–2003 (BIFF8), for recipients who still ask for it. Written with ``xlwt``.

``xlwt`` gets no new features, nor does the format; it is the only maintained-by-use writer of BIFF8 among
the packages. Limits: 65,536 rows a sheet; a longer list goes on in further sheets. The header is frozen
and repeated in print. Filter arrows are left out: in BIFF8 they are drawing objects, which ``xlwt`` cannot
write.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import xlwt

from exports.bookframe import NUMBER_FORMATS, DataSheet, ServiceCell, SummarySheet
from exports.columns import TEXT_KINDS, Control, clean_batches, unique_titles
from exports.naming import sheet_name
from exports.order import Progress
from exports.texts import Language, text
from exports.workbook import PassportLines, counted, sheet_sizes

XLS_ROWS = 65_536
A4 = 9
CHARACTER = 256  # xlwt measures column widths in 1/256 of a character
FLUSH_ROWS = 1_000
PRINT_TITLES = 0x07  # built-in name, [MS-XLS] 2.5.66


class _Workbook(xlwt.Workbook):  # type: ignore[misc] # xlwt is untyped
    """A workbook whose sheets repeat row 1 in print: xlwt has no such setting, the records are added here."""

    def _Workbook__all_links_rec(self) -> bytes:
        count = len(self._Workbook__worksheets)
        book = struct.pack("<HHHH", 0x01AE, 4, count, 0x0401)
        references = b"".join(struct.pack("<HHH", 0, sheet, sheet) for sheet in range(count))
        externals = struct.pack("<HHH", 0x0017, 2 + len(references), count) + references
        return book + externals + b"".join(self._titles(sheet) for sheet in range(count))

    @staticmethod
    def _titles(sheet: int) -> bytes:
        area = struct.pack("<BHHHHH", 0x3B, sheet, 0, 0, 0, 0xFF)
        body = struct.pack("<HBBHHHBBBB", 0x20, 0, 1, len(area), 0, sheet + 1, 0, 0, 0, 0)
        body += struct.pack("<BB", 0, PRINT_TITLES) + area
        return struct.pack("<HH", 0x0018, len(body)) + body


def write_xls(
    target: Path,
    data: DataSheet,
    summary: SummarySheet,
    passport: PassportLines,
    language: Language,
    progress: Progress | None = None,
    sheet_rows: int = XLS_ROWS,
) -> Control:
    """Write the workbook to ``target``, as ``write_xlsx`` does. Raises RowsDiffer and ColumnMismatch."""
    control = Control(totals={column.key: 0 for column in data.columns if column.totalled})
    cleaned = clean_batches(data.batches, data.columns, data.zone, control)
    rows = _rows(counted(cleaned, data.total, control, progress))
    book = _Workbook(encoding="utf-8")
    headers = unique_titles(data.columns)
    styles = [_style(NUMBER_FORMATS.get(c.kind, "@" if c.kind in TEXT_KINDS else "General")) for c in data.columns]
    widths = [column.characters for column in data.columns]
    for number, size in enumerate(sheet_sizes(data.total, sheet_rows), start=1):
        sheet = _sheet(book, sheet_name(data.product_id, data.short_title, number), headers, widths)
        for position in range(1, size + 1):
            row = sheet.row(position)
            for index, value in enumerate(next(rows)):
                if value is not None:
                    row.write(index, value, styles[index])
            if position % FLUSH_ROWS == 0:
                sheet.flush_row_data()
    for _surplus in rows:
        raise AssertionError("counted() stops a surplus row")
    _service(book, text("sheet.summary", language), summary.headers, summary.lines, summary.widths)
    names = (text("passport.field", language), text("passport.value", language))
    _service(book, text("sheet.passport", language), names, passport(control), (44.0, 100.0))
    unfinished = target.with_name(f"{target.name}.part")
    book.save(str(unfinished))
    unfinished.replace(target)
    return control


def _rows(batches: Iterator[pa.RecordBatch]) -> Iterator[Sequence[Any]]:
    for batch in batches:
        yield from zip(*(array.to_pylist() for array in batch.columns), strict=True)


def _style(number_format: str, header: bool = False) -> Any:
    style = xlwt.XFStyle()
    style.num_format_str = number_format
    if header:
        style.font.bold = True
        style.alignment.wrap = xlwt.Alignment.WRAP_AT_RIGHT
        style.alignment.vert = xlwt.Alignment.VERT_TOP
    return style


def _sheet(book: _Workbook, name: str, headers: Sequence[str], widths: Sequence[float]) -> Any:
    sheet = book.add_sheet(name)
    header = _style("@", header=True)
    for index, (title, width) in enumerate(zip(headers, widths, strict=True)):
        sheet.write(0, index, title, header)
        sheet.col(index).width = int(width * CHARACTER)
    sheet.set_panes_frozen(True)
    sheet.set_horz_split_pos(1)
    sheet.set_remove_splits(True)
    sheet.set_portrait(False)
    sheet.set_paper_size_code(A4)
    sheet.set_fit_num_pages(1)
    sheet.set_fit_width_to_pages(1)
    sheet.set_fit_height_to_pages(0)
    sheet.set_header_str(b"")
    sheet.set_footer_str(b"&L&A&R&P / &N")
    return sheet


def _service(
    book: _Workbook,
    name: str,
    headers: Sequence[str],
    lines: Sequence[Sequence[ServiceCell]],
    widths: Sequence[float],
) -> None:
    sheet = _sheet(book, name, headers, widths)
    style = _style("General")
    for position, line in enumerate(lines, start=1):
        for index, value in enumerate(line):
            if value is not None:
                sheet.write(position, index, " ".join(value.split()) if isinstance(value, str) else value, style)
