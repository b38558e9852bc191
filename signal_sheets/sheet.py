"""A signal sheet on paper: exactly one A4 page, however much there is to say.

The page is typeset by typst in a process of its own. The template tries smaller and smaller type until all fits; texts
that no type makes fit are cut beforehand, with a mark that the rest stands on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from exports.pdf import page

TEMPLATE = "signal_sheet.typ"
# Lengths that fit together on the page in the smallest type of the template.
LABEL = 40
LINE = 160
REASON = 240
PARAGRAPH = 2_000
FACTS = 10
REASONS = 8
ADVICE = 10
HISTORY = 6
CUT = "…"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with lines below it; ``listed`` gives each line a mark."""

    title: str
    lines: Sequence[str]
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on the page, in one language and in the order of the page."""

    language: Literal["kk", "ru"]
    organisation: str
    title: str
    number: str
    severity: str
    critical: bool
    facts: Sequence[tuple[str, str]]
    reasons: Section
    recommendations: Section
    advice: Section
    task: Section
    history: Section
    blanks: Sequence[str]
    footer: str


def pdf_of(sheet: Sheet) -> bytes:
    """The page as PDF. Raises exports.pdf.PrintFailed when it cannot be made."""
    return page(TEMPLATE, content_of(sheet))


def content_of(sheet: Sheet) -> dict[str, object]:
    """The sheet as the template reads it, each text short enough for the page."""
    content: dict[str, object] = asdict(sheet)
    for name in ("organisation", "title", "number", "severity", "footer"):
        content[name] = cut(str(content[name]), LINE)
    content["facts"] = [[cut(label, LABEL), cut(value, LINE)] for label, value in sheet.facts[:FACTS]]
    for name, lines, length in (
        ("reasons", REASONS, REASON), ("recommendations", 1, PARAGRAPH), ("advice", ADVICE, LINE), ("task", 1, REASON),
        ("history", HISTORY, LINE),
    ):  # fmt: skip
        section: Section = getattr(sheet, name)
        shown = [cut(line, length) for line in section.lines[:lines]]
        content[name] = {
            "title": cut(section.title, LABEL * 2),
            "lines": [*shown, CUT] if len(section.lines) > lines else shown,
            "listed": section.listed,
        }
    content["blanks"] = [cut(blank, LABEL) for blank in sheet.blanks]
    return content


def cut(text: str, length: int) -> str:
    """The text on one line, cut to a length with a mark where something is missing."""
    folded = " ".join(text.split())
    return folded if len(folded) <= length else f"{folded[: length - 1].rstrip()}{CUT}"
