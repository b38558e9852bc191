"""The accession number as a barcode of Code 39 (ISO/IEC 16388): every hand scanner reads it, letters and digits."""

from __future__ import annotations

from collections.abc import Iterator

# Wide bars of the five, by the last figure of the place in a row of ten; a wide space tells the rows apart.
_BARS = {1: "10001", 2: "01001", 3: "11000", 4: "00101", 5: "10100", 6: "01100", 7: "00011", 8: "10010", 9: "01010",
         0: "00110"}  # fmt: skip
_ROWS = (("1234567890", "0100"), ("ABCDEFGHIJ", "0010"), ("KLMNOPQRST", "0001"), ("UVWXYZ-. *", "1000"))
WIDE = 3
MARGIN = 10


def elements(character: str) -> str:
    """Bars and spaces of a character in turn, beginning with a bar: 1 is wide. Raises ValueError for another one."""
    for row, spaces in _ROWS:
        if character in row:
            bars = _BARS[(row.index(character) + 1) % 10]
            return "".join(bar + space for bar, space in zip(bars, f"{spaces} ", strict=True)).strip()
    raise ValueError("Code 39 has no such character")


def bars(text: str) -> tuple[list[tuple[int, int]], int]:
    """The bars of a text between its start and stop signs as (place, width) in modules, and the width of all."""
    found: list[tuple[int, int]] = []
    place = MARGIN
    for sign in f"*{text}*":
        for bar, width in _widths(sign):
            if bar:
                found.append((place, width))
            place += width
        place += 1  # the gap between characters
    return found, place - 1 + MARGIN


def _widths(character: str) -> Iterator[tuple[bool, int]]:
    for number, element in enumerate(elements(character)):
        yield number % 2 == 0, WIDE if element == "1" else 1
