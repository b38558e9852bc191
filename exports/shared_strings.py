"""The table of texts that a workbook's cells point to (ECMA-376 part 1, 18.4.9 sst).

Names of organisations, diagnoses, doctors repeat in nearly every row: kept once, they make the file smaller and both
its writing and its opening faster. Texts that hardly repeat (IIN, numbers, people) stay in their cells, so that the
table, which is held in memory, stays small however long the list is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

MEMBER = "xl/sharedStrings.xml"
MOST = 60_000
REPEATS = 4  # a column is shared while its values of a batch occur this often on average
PIECE = 20_000
# A literal that looks like SpreadsheetML's own escape must not be read as one (ST_Xstring, 22.9.2.19).
ESCAPE_LOOKALIKE = r"_x([0-9A-Fa-f]{4})_"


def escaped(array: pa.Array) -> pa.Array:
    """Texts as the content of an XML element."""
    for mark, pattern in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        array = pc.replace_substring(array, mark, pattern)
    return pc.replace_substring_regex(array, ESCAPE_LOOKALIKE, r"_x005F_x\1_")


class SharedStrings:
    """Grows while rows pass; ``start`` is the table of the made workbook, whose entries keep their numbers."""

    def __init__(self, start: bytes) -> None:
        opening, _, rest = start.partition(b"<si>")
        self._opening = opening[: opening.index(b"<sst")]
        self._first = b"<si>" + rest.removesuffix(b"</sst>") if rest else b""
        self._base = self._first.count(b"<si>")
        self._numbers: dict[str, int] = {}

    def numbers(self, texts: pa.Array) -> pa.Array | None:
        """The number of each text (null for null), or None when the column had better keep its texts itself."""
        encoded = texts.dictionary_encode()
        values = encoded.dictionary
        if len(values) * REPEATS > len(texts) or len(self._numbers) + len(values) > MOST:
            return None
        known = self._numbers
        mine = [known.setdefault(value, self._base + len(known)) for value in values.to_pylist()]
        return pa.array(mine, pa.int32()).take(encoded.indices)

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the member."""
        yield self._opening
        yield b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">' + self._first
        texts = list(self._numbers)
        for start in range(0, len(texts), PIECE):
            part = escaped(pa.array(texts[start : start + PIECE], pa.string())).to_pylist()
            yield "".join(f"<si><t>{text}</t></si>" for text in part).encode()
        yield b"</sst>"
