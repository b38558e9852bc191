"""The Excel workbook of an unload: data sheets, «Свод», «Паспорт», written in constant memory.

The Rust writer makes the book: styles, print set-up, filters, «Свод» and «Паспорт», and in each data sheet two sample
rows that are replaced by the real ones while they stream through (``exports.sheetxml``). Measured on 200,000 × 20 on
two idle cores: rows streamed 1.0 s, the Rust writer for the rows too 3.1 s, DuckDB's ``excel`` 3.5 s, ``xlsxwriter``
26.5 s. Limits: 1,048,576 rows a sheet (Excel specifications and limits); a longer list goes on in further sheets. A
text cell has the format ``@``: a value that starts with ``=`` stays text, also after a user has edited the cell.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from exports.bookframe import BookFrame, DataSheet, ServiceCell, SummarySheet
from exports.columns import Control, clean_batches
from exports.parallel_zip import write_member
from exports.shared_strings import MEMBER
from exports.sheetxml import RowEncoder
from exports.texts import Language

SHEET_ROWS = 1_048_576
CELL_BYTES = 120  # more than a cell of a long text takes on average
SMALL_MEMBER = 1 << 31

Progress = Callable[[int, int], None]
PassportLines = Callable[[Control], Sequence[tuple[str, ServiceCell]]]


class RowsDiffer(RuntimeError):
    """The rows that came are not as many as the figure of the same selection and snapshot says."""

    def __init__(self, expected: int, written: int) -> None:
        super().__init__(f"the selection has {expected} rows, {written} came")


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


def sheet_sizes(total: int, sheet_rows: int) -> list[int]:
    """The rows of each data sheet, without headers, when a sheet holds ``sheet_rows`` rows with its
    header.
    """
    room = sheet_rows - 1
    full, rest = divmod(total, room)
    return [room] * full + ([rest] if rest or not full else [])


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
    batches = counted(cleaned, data.total, control, progress)
    splitter = Splitter(batches, sheet_rows - 1)
    sizes = sheet_sizes(data.total, sheet_rows)
    frame = BookFrame(data, len(sizes), summary, language)
    outline = frame.parts(())
    shared = outline.shared_strings()
    encoder = RowEncoder(data.columns, outline.styles(), shared)
    unfinished = target.with_name(f"{target.name}.part")
    try:
        with ThreadPoolExecutor(max_workers=2) as pool, zipfile.ZipFile(unfinished, "w") as archive:
            for name in outline.before:
                archive.writestr(name, outline.content(name, sizes), zipfile.ZIP_DEFLATED)
            for index, size in enumerate(sizes):
                run = splitter.part() if index + 1 < len(sizes) else splitter.rest()
                head, foot = outline.around_rows(index, size)
                large = size * len(data.columns) * CELL_BYTES > SMALL_MEMBER
                write_member(archive, outline.sheets[index], _sheet(head, run, foot, encoder), pool, large=large)
            write_member(archive, MEMBER, shared.pieces(), pool)
            finished = frame.parts(tuple(passport(control)))
            for name in finished.after:
                archive.writestr(name, finished.content(name, sizes), zipfile.ZIP_DEFLATED)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.replace(target)
    return control


def _sheet(head: bytes, batches: Iterator[pa.RecordBatch], foot: bytes, encoder: RowEncoder) -> Iterator[bytes]:
    yield head
    row = 2
    for batch in batches:
        yield encoder.encode(batch, row)
        row += batch.num_rows
    yield foot
