"""The Excel workbook of an unload: data sheets, «Свод», «Паспорт», written in constant memory.

Rows arrive as Arrow record batches and are handed to the Rust writer as one Arrow stream per sheet;
nothing is held but the batch in hand. Limits: 1,048,576 rows a sheet (Excel specifications and limits); a
longer list goes on in further sheets. A text cell is written as an inline string with the format ``@``: a
value that starts with ``=`` stays text, also after a user has edited the cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from rustpy_xlsxwriter import FastExcel, Format

from exports.columns import ColumnSpec, Control, Kind, clean_batches, target_schema
from exports.naming import sheet_name
from exports.texts import Language, text

SHEET_ROWS = 1_048_576
A4 = 9  # paper size index of SpreadsheetML (ECMA-376 part 1, 18.3.1.63)
NUMBER_FORMATS: dict[Kind, str] = {
    "text": "@",
    "code": "@",
    "time": "@",
    "date": "dd.mm.yyyy",
    "datetime": "dd.mm.yyyy hh:mm",
    "integer": "0",
    "number": "General",
    "money": "#,##0.00",
    "flag": "0",
}

Progress = Callable[[int, int], None]
ServiceCell = str | int | float | None


class RowsDiffer(RuntimeError):
    """The rows that came are not as many as the figure of the same selection and snapshot says."""

    def __init__(self, expected: int, written: int) -> None:
        super().__init__(f"the selection has {expected} rows, {written} came")


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


PassportLines = Callable[[Control], Sequence[tuple[str, ServiceCell]]]


class Splitter:
    """Cuts one run of batches into runs of at most ``limit`` rows, without holding more than a batch."""

    def __init__(self, batches: Iterator[pa.RecordBatch], limit: int) -> None:
        self._batches = batches
        self._limit = limit
        self._rest: pa.RecordBatch | None = None

    def part(self) -> Iterator[pa.RecordBatch]:
        """The next ``limit`` rows."""
        room = self._limit
        while room:
            batch = self._rest if self._rest is not None else next(self._batches, None)
            self._rest = None
            if batch is None:
                return
            if batch.num_rows > room:
                self._rest = batch.slice(room)
                batch = batch.slice(0, room)
            room -= batch.num_rows
            yield batch

    def rest(self) -> Iterator[pa.RecordBatch]:
        """All that is left, read to its end so that a surplus row is noticed."""
        if self._rest is not None:
            yield self._rest
            self._rest = None
        yield from self._batches


def parts(total: int, sheet_rows: int) -> int:
    """How many sheets ``total`` rows need when a sheet holds ``sheet_rows`` rows with its header."""
    return max(1, -(-total // (sheet_rows - 1)))


def counted(
    batches: Iterator[pa.RecordBatch], total: int, control: Control, progress: Progress | None
) -> Iterator[pa.RecordBatch]:
    """The same batches; reports progress. Raises RowsDiffer when their rows are not ``total``."""
    for batch in batches:
        if progress is not None:
            progress(control.rows, total)
        if control.rows > total:
            raise RowsDiffer(total, control.rows)
        yield batch
    if control.rows != total:
        raise RowsDiffer(total, control.rows)


def write_xlsx(
    target: Path,
    data: DataSheet,
    summary: SummarySheet,
    passport: PassportLines,
    language: Language,
    progress: Progress | None = None,
    sheet_rows: int = SHEET_ROWS,
) -> Control:
    """Write the workbook to ``target`` and return what was written.

    ``passport`` is called when all rows have passed, with their counts and sums. ``target`` appears whole
    or not at all. Raises RowsDiffer and ColumnMismatch.
    """
    control = Control(totals={column.key: 0 for column in data.columns if column.totalled})
    cleaned = clean_batches(data.batches, data.columns, data.zone, control)
    splitter = Splitter(counted(cleaned, data.total, control, progress), sheet_rows - 1)
    schema = target_schema(data.columns)
    unfinished = target.with_name(f"{target.name}.part")
    failure: list[BaseException] = []
    book = FastExcel(str(unfinished), output_format="xlsx").freeze(row=1)
    sheets = parts(data.total, sheet_rows)
    for number in range(1, sheets + 1):
        run = splitter.part() if number < sheets else splitter.rest()
        reader = pa.RecordBatchReader.from_batches(schema, _keeping_failure(run, failure))
        book.sheet(
            sheet_name(data.product_id, data.short_title, number),
            reader,
            **_data_layout(data.columns, schema),
        )
    book.sheet(text("sheet.summary", language), _summary_rows(summary), **_service_layout(summary.widths))
    book.sheet(
        text("sheet.passport", language),
        _passport_rows(passport, control, language),
        **_service_layout((44.0, 100.0)),
    )
    try:
        book.save()
    except BaseException:
        unfinished.unlink(missing_ok=True)
        if failure:
            raise failure[0] from None
        raise
    unfinished.replace(target)
    return control


def _keeping_failure(run: Iterator[pa.RecordBatch], failure: list[BaseException]) -> Iterator[pa.RecordBatch]:
    # The Arrow C stream turns any exception into a text: the real one is kept to be raised by the caller.
    try:
        yield from run
    except BaseException as error:
        failure.append(error)
        raise


def _data_layout(columns: Sequence[ColumnSpec], schema: pa.Schema) -> dict[str, Any]:
    return {
        "autofilter": True,
        "header_format": _header_format(),
        "column_widths": [column.characters for column in columns],
        "column_formats": [_cell_format(column.kind) for column in columns],
        "ignore_errors": [
            title
            for title, column in zip(schema.names, columns, strict=True)
            if column.kind in ("text", "code")
        ],
        "page_setup": _page_setup(),
    }


def _service_layout(widths: Sequence[float]) -> dict[str, Any]:
    return {
        "header_format": _header_format(),
        "column_widths": list(widths),
        "column_formats": [Format().set_text_wrap().set_align("top") for _ in widths],
        "page_setup": _page_setup(),
    }


def _cell_format(kind: Kind) -> Format:
    cell = Format()
    return cell if NUMBER_FORMATS[kind] == "General" else cell.set_num_format(NUMBER_FORMATS[kind])


def _header_format() -> Format:
    return (
        Format()
        .set_bold()
        .set_text_wrap()
        .set_align("top")
        .set_background_color("#E7EEF3")
        .set_border_bottom("thin")
    )


def _page_setup() -> dict[str, Any]:
    return {
        "landscape": True,
        "paper_size": A4,
        "repeat_rows": 0,
        "fit_to_pages": (1, 0),
        "margins": {"left": 0.4, "right": 0.4, "top": 0.5, "bottom": 0.6},
        "footer": "&L&A&R&P / &N",
    }


def _summary_rows(summary: SummarySheet) -> Iterator[dict[str, ServiceCell]]:
    for line in summary.lines or [[None] * len(summary.headers)]:
        yield dict(zip(summary.headers, line, strict=True))


def _passport_rows(
    passport: PassportLines, control: Control, language: Language
) -> Iterator[dict[str, ServiceCell]]:
    field, value = text("passport.field", language), text("passport.value", language)
    for name, content in passport(control):
        line = " ".join(content.split()) if isinstance(content, str) else content
        yield {field: name, value: line}
