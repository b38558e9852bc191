"""How the columns of a printed list share a page: no word runs into the next column, no code is broken.

Widths come from what stands in the first piece of the list. Sizes are in millimetres, type in points.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from exports.columns import ColumnSpec

USABLE = {"a4": 277.0, "a3": 400.0}  # landscape, 10 mm margins
TRIES = (("a4", 8.0), ("a4", 7.0), ("a3", 7.0), ("a3", 6.0), ("a3", 5.0))
CHARACTER = 0.58  # width of a wide Cyrillic letter of the font, in parts of its size
POINT = 0.3528
PADDING = 1.8
HEADER_WORD = 12
DATA_WORD = 18
BOLD = 1.1
BREAK = "\u200b"
# A line may end at a space or after a hyphen, but not between a hyphen and a digit (UAX 14, rule LB25).
PARTS = re.compile(r"(?:[^\s-]|-(?=\d))+-?")


@dataclass(frozen=True, slots=True)
class PageLayout:
    """Paper, type size and the width of each column."""

    paper: str
    size: float
    widths: tuple[float, ...]


def lay_out(columns: Sequence[ColumnSpec], headers: Sequence[str], rows: Sequence[Sequence[str]]) -> PageLayout:
    """The smallest paper and the largest type that hold every word; long texts share what is left."""
    needed: list[float] = []
    wanted: list[float] = []
    for index, header in enumerate(headers):
        cells = [row[index] for row in rows]
        longest = max((_longest(cell) for cell in cells), default=0)
        needed.append(max(min(longest, DATA_WORD), min(_longest(header), HEADER_WORD) * BOLD, 2.0))
        mean = sum(map(len, cells)) / len(cells) if cells else 0.0
        wanted.append(max(0.0, mean - needed[-1]) + (0.5 if columns[index].kind == "text" else 0.1))
    for paper, size in TRIES:
        letter = size * CHARACTER * POINT
        least = [count * letter + PADDING for count in needed]
        left = USABLE[paper] - sum(least)
        if left >= 0:
            break
    share = left / sum(wanted) if left > 0 else 0.0
    scale = USABLE[paper] / sum(least) if left < 0 else 1.0
    widths = [(width + share * weight) * scale for width, weight in zip(least, wanted, strict=True)]
    return PageLayout(paper, size, tuple(widths))


def breakable(text: str, longest: int) -> str:
    """The text with places to break in words longer than ``longest``."""
    if _longest(text) <= longest:
        return text
    return PARTS.sub(lambda part: BREAK.join(_cut(part[0], longest)), text)


def _cut(word: str, longest: int) -> list[str]:
    return [word[at : at + longest] for at in range(0, len(word), longest)]


def _longest(text: str) -> int:
    return max(map(len, PARTS.findall(text)), default=0)
