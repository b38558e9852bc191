"""The rows of a worksheet as SpreadsheetML (ECMA-376 part 1, 18.3.1.73 row, 18.3.1.4 c), made column by
column.

Polars builds the text of a whole batch at once, several times faster than any writer that is called for
each cell. The styles are those of the workbook that the Rust writer made; only ``<row>`` elements come
from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from exports.columns import TEXT_KINDS, ColumnSpec, used_bytes

EPOCH_SERIAL = 25_569  # 1970-01-01 in Excel's 1900 date system
DAY_MICROSECONDS = 86_400_000_000
ROW = "__row"
# A literal that looks like SpreadsheetML's own escape must not be read as one (ST_Xstring, 22.9.2.19).
ESCAPE_LOOKALIKE = r"_x([0-9A-Fa-f]{4})_"


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

    ``styles`` maps a 0-based column to the index of its cell style, where it has one.
    """

    def __init__(self, columns: Sequence[ColumnSpec], styles: Mapping[int, str]) -> None:
        self._columns = columns
        cells = [self._cell(index, column, styles.get(index)) for index, column in enumerate(columns)]
        self._row = pl.concat_str(pl.lit('<row r="'), pl.col(ROW), pl.lit('">'), *cells, pl.lit("</row>"))

    def encode(self, batch: pa.RecordBatch, first_row: int) -> bytes:
        """The elements of a batch whose first row has the 1-based number ``first_row``."""
        arrays = [
            _escaped(array) if column.kind in TEXT_KINDS else array
            for array, column in zip(batch.columns, self._columns, strict=True)
        ]
        table = pa.Table.from_arrays(arrays, names=[str(index) for index in range(len(arrays))])
        frame = pl.DataFrame(table).with_columns(
            pl.int_range(first_row, first_row + batch.num_rows).cast(pl.String).alias(ROW)
        )
        rows = frame.select(self._row.alias(ROW))[ROW].rechunk().to_arrow()
        return used_bytes(rows)

    @staticmethod
    def _cell(index: int, column: ColumnSpec, style: str | None) -> pl.Expr:
        source = pl.col(str(index))
        styled = f'" s="{style}"' if style else '"'
        if column.kind in TEXT_KINDS:
            opening, value, closing = f'{styled} t="inlineStr"><is><t>', source, "</t></is></c>"
        else:
            opening, value, closing = f"{styled}><v>", _number(source, column), "</v></c>"
        cell = pl.concat_str(pl.lit(f'<c r="{letters(index)}'), pl.col(ROW), pl.lit(opening), value, pl.lit(closing))
        return pl.when(source.is_null()).then(pl.lit("")).otherwise(cell)


def _number(source: pl.Expr, column: ColumnSpec) -> pl.Expr:
    if column.kind == "date":
        return (source.to_physical() + EPOCH_SERIAL).cast(pl.String)
    if column.kind == "datetime":
        return (source.to_physical() / DAY_MICROSECONDS + EPOCH_SERIAL).cast(pl.String)
    return source.cast(pl.String)


def _escaped(array: pa.Array) -> pa.Array:
    used = used_bytes(array)
    for mark, pattern in ((b"&", "&amp;"), (b"<", "&lt;"), (b">", "&gt;")):
        if mark in used:
            array = pc.replace_substring(array, mark.decode(), pattern)
    if b"_x" in used:
        array = pc.replace_substring_regex(array, ESCAPE_LOOKALIKE, r"_x005F_x\1_")
    return array
