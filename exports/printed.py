"""Values as they stand on paper, and the content of a printed list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa

from exports.bookframe import ServiceCell, SummarySheet
from exports.columns import ColumnSpec, Control, Kind, clean_batches, unique_titles
from exports.texts import Language, text
from exports.workbook import RowsDiffer

PRINT_ROWS = 10_000
RIGHT_KINDS = frozenset({"integer", "number", "money", "flag"})


class TooManyRows(RuntimeError):
    """The list is too long for paper; the file is offered instead. ``rows`` says how long it is."""

    def __init__(self, rows: int) -> None:
        super().__init__(f"a printed list holds at most {PRINT_ROWS} rows, this one has {rows}")
        self.rows = rows

    def message(self, language: Language) -> str:
        """The text for the user."""
        return text("error.too_long", language, rows=f"{self.rows:,}".replace(",", "\u00a0"))


@dataclass(frozen=True, slots=True)
class PrintedList:
    """A list for paper: header lines, columns, rows as they come, totals, who made it."""

    title: str
    criteria: Sequence[tuple[str, str]]
    snapshot: str
    made: str
    columns: Sequence[ColumnSpec]
    batches: Iterable[pa.RecordBatch]
    total: int
    summary: SummarySheet
    language: Language
    zone: str

    def headers(self) -> list[str]:
        """The column headers."""
        return unique_titles(self.columns)

    def rows(self, control: Control) -> Iterator[list[str]]:
        """The rows as text, in their order. Raises RowsDiffer when they are not ``total``."""
        for batch in clean_batches(self.batches, self.columns, self.zone, control):
            values = [array.to_pylist() for array in batch.columns]
            kinds = [column.kind for column in self.columns]
            for row in zip(*values, strict=True):
                yield [printed(value, kind) for value, kind in zip(row, kinds, strict=True)]
        if control.rows != self.total:
            raise RowsDiffer(self.total, control.rows)

    def totals(self) -> list[list[str]]:
        """The lines of «Свод» as text."""
        return [[printed_total(cell) for cell in line] for line in self.summary.lines]


def printed(value: object, kind: Kind) -> str:
    """A value of a column as text; unknown is empty."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%d.%m.%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d.%m.%Y}"
    if kind == "money" and isinstance(value, Decimal):
        return grouped(f"{value:,.2f}")
    if isinstance(value, float):
        return grouped(f"{value:,.4f}").rstrip("0").rstrip(",")
    return str(value)


def printed_total(cell: ServiceCell) -> str:
    """A cell of «Свод» as text."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return grouped(f"{cell:,.2f}").rstrip("0").rstrip(",")
    return grouped(f"{cell:,}") if isinstance(cell, int) else cell


def grouped(number: str) -> str:
    """A number with a decimal comma and non-breaking spaces between thousands, as written in Kazakhstan."""
    return number.replace(",", "\u00a0").replace(".", ",")
