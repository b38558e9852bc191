"""Columns of an unload or a report: their kinds, widths, and the cleaning of Arrow batches before they are
written.

Unknown stays null (an empty cell), a code keeps its leading zeros as text, a line break inside a value
becomes a space, a moment becomes local wall-clock time without a zone, since Excel knows none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

Kind = Literal["text", "code", "date", "datetime", "time", "integer", "number", "money", "flag"]
KINDS: tuple[Kind, ...] = ("text", "code", "date", "datetime", "time", "integer", "number", "money", "flag")
TEXT_KINDS = frozenset({"text", "code", "time"})
WIDTHS: dict[Kind, float] = {
    "text": 28,
    "code": 14,
    "date": 11,
    "datetime": 16,
    "time": 8,
    "integer": 10,
    "number": 12,
    "money": 14,
    "flag": 9,
}
CELL_CHARACTERS = 32_767  # Excel specification: total number of characters that a cell can contain
FIRST_EXCEL_DAY = -25_567  # 1900-01-01 in days from 1970-01-01: Excel has no earlier date
BREAKS = r"[\x00-\x1F\x7F\x{85}\x{2028}\x{2029}]+"
CONTROL_BYTES = bytes([*range(32), 127])
WIDE_BREAKS = (b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")
SHORTENED = "…"

Total = int | float | Decimal


class ColumnMismatch(ValueError):
    """The rows do not have the columns that the catalogue promises."""


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column: its key in the batches, its header, its kind, its width in characters.

    ``totalled`` marks a numeric column whose sum is a control total of the file.
    """

    key: str
    title: str
    kind: Kind
    width: float | None = None
    totalled: bool = False

    @property
    def characters(self) -> float:
        """Width of the column in characters: its own, or the usual one of its kind, never cutting a header
        word.
        """
        longest_word = max((len(word) for word in self.title.split()), default=0)
        return min(60.0, max(self.width or WIDTHS[self.kind], longest_word + 4.0))


@dataclass(slots=True)
class Control:
    """What was really written: rows, sums of the totalled columns, and cells that the format could not
    hold.
    """

    rows: int = 0
    totals: dict[str, Total] = field(default_factory=dict)
    early_dates: int = 0
    shortened: int = 0


def unique_titles(columns: Sequence[ColumnSpec]) -> list[str]:
    """Headers in order, one line each; a repeated one gets its number, since a pivot refuses equal
    headers.
    """
    seen: dict[str, int] = {}
    titles: list[str] = []
    for column in columns:
        title = " ".join(column.title.split()) or column.key
        seen[title.casefold()] = seen.get(title.casefold(), 0) + 1
        count = seen[title.casefold()]
        while count > 1 and f"{title} {count}".casefold() in seen:
            count += 1
        name = title if count == 1 else f"{title} {count}"
        seen.setdefault(name.casefold(), 1)
        titles.append(name)
    return titles


def target_schema(columns: Sequence[ColumnSpec]) -> pa.Schema:
    """The Arrow schema of cleaned batches, named by the unique headers."""
    kinds: dict[Kind, pa.DataType] = {
        "text": pa.string(),
        "code": pa.string(),
        "time": pa.string(),
        "date": pa.date32(),
        "datetime": pa.timestamp("us"),
        "integer": pa.int64(),
        "number": pa.float64(),
        "money": pa.decimal128(38, 2),
        "flag": pa.int8(),
    }
    titles = unique_titles(columns)
    return pa.schema([pa.field(title, kinds[column.kind]) for title, column in zip(titles, columns, strict=True)])


def clean_batches(
    batches: Iterable[pa.RecordBatch], columns: Sequence[ColumnSpec], zone: str, control: Control
) -> Iterator[pa.RecordBatch]:
    """Batches with the columns of ``columns`` in their order, cleaned; ``control`` counts as they pass.

    ``zone`` is the organisation's time zone. Raises ColumnMismatch when a column is missing.
    """
    schema = target_schema(columns)
    for batch in batches:
        missing = [column.key for column in columns if batch.schema.get_field_index(column.key) < 0]
        if missing:
            raise ColumnMismatch(f"columns missing from the rows: {', '.join(missing)}")
        arrays = [_clean(batch.column(column.key), column, zone, control) for column in columns]
        control.rows += batch.num_rows
        for column, array in zip(columns, arrays, strict=True):
            if column.totalled:
                added = pc.sum(array, min_count=0).as_py()
                control.totals[column.key] = control.totals.get(column.key, 0) + added
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _clean(array: pa.Array, column: ColumnSpec, zone: str, control: Control) -> pa.Array:
    if pa.types.is_null(array.type):
        return array.cast(target_schema([column]).field(0).type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if column.kind in TEXT_KINDS:
        return _clean_text(array, column, control)
    if column.kind == "date":
        return _without_early(_local(array, zone).cast(pa.date32(), safe=False), pa.int32(), control)
    if column.kind == "datetime":
        return _without_early(_local(array, zone).cast(pa.timestamp("us"), safe=False), pa.int64(), control)
    if column.kind == "flag":
        return array.cast(pa.int8())
    if column.kind == "integer":
        return array.cast(pa.int64())
    if column.kind == "money":
        return array.cast(pa.decimal128(38, 2), safe=False)
    number = array.cast(pa.float64())
    # An infinite number has no place in a file that is added up: it is as unknown as a missing one.
    return pc.if_else(pc.is_finite(number), number, pa.scalar(None, pa.float64()))


def _local(array: pa.Array, zone: str) -> pa.Array:
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        return pc.local_timestamp(array.cast(pa.timestamp("us", zone)))
    return array


def _without_early(array: pa.Array, numbers: pa.DataType, control: Control) -> pa.Array:
    day = 1 if pa.types.is_date32(array.type) else 86_400_000_000
    early = pc.less(array.cast(numbers), FIRST_EXCEL_DAY * day)
    count = pc.sum(early).as_py() or 0
    if not count:
        return array
    control.early_dates += count
    return pc.if_else(early, pa.scalar(None, array.type), array)


def _clean_text(array: pa.Array, column: ColumnSpec, control: Control) -> pa.Array:
    if pa.types.is_time(array.type):
        text = pc.strftime(array.cast(pa.time64("us")).cast(pa.int64()).cast(pa.timestamp("us")), format="%H:%M")
    else:
        text = array.cast(pa.string())
    if _has_breaks(used_bytes(text)):
        text = pc.replace_substring_regex(text, BREAKS, " ")
    if pc.any(pc.starts_with(text, " ")).as_py() or pc.any(pc.ends_with(text, " ")).as_py():
        text = pc.utf8_trim_whitespace(text)
    if column.kind == "text" and (pc.max(pc.binary_length(text)).as_py() or 0) > CELL_CHARACTERS:
        long = pc.greater(pc.utf8_length(text), CELL_CHARACTERS)
        control.shortened += pc.sum(long).as_py() or 0
        text = pc.if_else(
            long,
            pc.binary_join_element_wise(pc.utf8_slice_codeunits(text, 0, CELL_CHARACTERS - 1), SHORTENED, ""),
            text,
        )
    empty = pc.equal(text, "")
    if pc.any(empty).as_py():
        return pc.if_else(empty, pa.scalar(None, pa.string()), text)
    return text


def used_bytes(text: pa.Array) -> bytes:
    """The bytes of all values of a string array, one after the other."""
    data = text.buffers()[2]
    if data is None or not len(text):
        return b""
    wide = pa.types.is_large_string(text.type)
    offsets = memoryview(text.buffers()[1]).cast("q" if wide else "i")
    return memoryview(data)[offsets[text.offset] : offsets[text.offset + len(text)]].tobytes()


def _has_breaks(used: bytes) -> bool:
    """Whether a control character occurs; a look at the bytes costs far less than a search in each value."""
    if len(used.translate(None, CONTROL_BYTES)) != len(used):
        return True
    return any(mark in used for mark in WIDE_BREAKS)
