"""The course of a test over time as a drawing: places of points, of the reference range and of the marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from operational.domains.orders.models import LabResult

WIDTH, HEIGHT = 860, 320
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 24, 44


@dataclass(frozen=True, slots=True)
class Point:
    """A value: its place, when, how it reads; ``mark`` is H or L outside its range. ``labelled``: date is written."""

    x: float
    y: float
    at: datetime
    value: Decimal
    mark: str | None
    labelled: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """A drawing of WIDTH by HEIGHT; ``band`` is (top, height) of the newest reference range inside it."""

    points: Sequence[Point]
    line: str
    band: tuple[float, float] | None
    ticks: Sequence[tuple[float, Decimal]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def draw(results: Sequence[LabResult]) -> Curve | None:
    """The curve of numeric results in order of time; None without any."""
    rows = [(row, row.value_number) for row in results if row.value_number is not None]
    if not rows:
        return None
    low, high = rows[-1][0].reference_low, rows[-1][0].reference_high
    levels = [value for _, value in rows] + [edge for edge in (low, high) if edge is not None]
    least, most = min(levels), max(levels)
    pad = (most - least) * Decimal("0.1") or max(abs(most) * Decimal("0.1"), Decimal("0.1"))
    least, most = max(least - pad, Decimal(0)) if least >= 0 else least - pad, most + pad
    first, last = rows[0][0].observed_at, rows[-1][0].observed_at
    span = (last - first).total_seconds()

    def x(at: datetime) -> float:
        share = (at - first).total_seconds() / span if span else 0.5
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(value: Decimal) -> float:
        return round(TOP + float((most - value) / (most - least)) * (HEIGHT - TOP - BOTTOM), 1)

    labelled = -1e9
    points: list[Point] = []
    for row, value in rows:
        place = x(row.observed_at)
        shown = place - labelled >= 80
        labelled = place if shown else labelled
        mark = row.interpretation if row.interpretation not in (None, "N") else None
        points.append(Point(place, y(value), row.observed_at, value, mark, shown))
    top = y(min(high, most)) if high is not None else float(TOP)
    under = y(max(low, least)) if low is not None else float(HEIGHT - BOTTOM)
    band = None if low is None and high is None else (top, round(under - top, 1))
    ticks = [least + (most - least) * step / 4 for step in range(5)]
    return Curve(points, " ".join(f"{p.x},{p.y}" for p in points), band, [(y(tick), tick) for tick in ticks])
