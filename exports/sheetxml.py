"""The rows of a worksheet as SpreadsheetML (ECMA-376 part 1, 18.3.1.73 row, 18.3.1.4 c), made column by column.

Polars builds the text of a whole batch at once, several times faster than any writer that is called for each cell.
The styles are those of the workbook that the Rust writer made; only ``<row>`` elements come from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa

from exports.columns import TEXT_KINDS, ColumnSpec, used_bytes
from exports.shared_strings import SharedStrings, escaped

EPOCH_SERIAL = 25_569  # 1970-01-01 in Excel's 1900 date system
DAY_MICROSECONDS = 86_400_000_000
ROW = "__row"
MARKUP = (b"&", b"<", b">", b"_x")


def letters(index: int) -> str:
    """The name of the column with the 0-based ``index``: A, B, …, Z, AA."""
    name = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


class RowEncoder:
    """Turns cleaned batches into the bytes of their ``<row>`` elements.

    ``styles`` maps a 0-based column to the index of its cell style, where it has one; repeating texts go to ``shared``.
    """

    def __init__(self, columns: Sequence[ColumnSpec], styles: Mapping[int, str], shared: SharedStrings) -> None:
        self._columns = columns
        self._styles = styles
        self._shared = shared

    def encode(self, batch: pa.RecordBatch, first_row: int) -> bytes:
        """The elements of a batch whose first row has the 1-based number ``first_row``."""
        arrays: list[pa.Array] = []
        cells: list[pl.Expr] = []
        for index, (array, column) in enumerate(zip(batch.columns, self._columns, strict=True)):
            numbers = self._shared.numbers(array) if column.kind in TEXT_KINDS else None
            if numbers is not None:
                arrays.append(numbers)
                cells.append(self._cell(index, ' t="s"><v>', pl.col(str(index)).cast(pl.String), "</v></c>"))
            elif column.kind in TEXT_KINDS:
                arrays.append(_escaped_if_needed(array))
                cells.append(self._cell(index, ' t="inlineStr"><is><t>', pl.col(str(index)), "</t></is></c>"))
            else:
                arrays.append(array)
                cells.append(self._cell(index, "><v>", _number(pl.col(str(index)), column), "</v></c>"))
        table = pa.Table.from_arrays(arrays, names=[str(index) for index in range(len(arrays))])
        frame = pl.DataFrame(table).with_columns(
            pl.int_range(first_row, first_row + batch.num_rows).cast(pl.String).alias(ROW)
        )
        row = pl.concat_str(pl.lit('<row r="'), pl.col(ROW), pl.lit('">'), *cells, pl.lit("</row>"))
        return used_bytes(frame.select(row.alias(ROW))[ROW].rechunk().to_arrow())

    def _cell(self, index: int, opening: str, value: pl.Expr, closing: str) -> pl.Expr:
        style = self._styles.get(index)
        start = f'" s="{style}"{opening}' if style else f'"{opening}'
        cell = pl.concat_str(pl.lit(f'<c r="{letters(index)}'), pl.col(ROW), pl.lit(start), value, pl.lit(closing))
        return pl.when(pl.col(str(index)).is_null()).then(pl.lit("")).otherwise(cell)


def _number(source: pl.Expr, column: ColumnSpec) -> pl.Expr:
    if column.kind == "date":
        return (source.to_physical() + EPOCH_SERIAL).cast(pl.String)
    if column.kind == "datetime":
        return (source.to_physical() / DAY_MICROSECONDS + EPOCH_SERIAL).cast(pl.String)
    return source.cast(pl.String)


def _escaped_if_needed(array: pa.Array) -> pa.Array:
    used = used_bytes(array)
    return escaped(array) if any(mark in used for mark in MARKUP) else array
