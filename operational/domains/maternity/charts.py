"""Small charts of a pregnancy as figures for SVG: weight, pressure and fundal height by week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 320, 150
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 8, 20
LAST_WEEK = 42


@dataclass(frozen=True, slots=True)
class Dot:
    """A measured value at its place; ``text`` is read aloud and shown on pointing."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: lines as lists of dots, ticks as (place, text), and lines that mark a bound."""

    text_key: str
    lines: tuple[tuple[Dot, ...], ...]
    ticks: tuple[tuple[float, str], ...]
    weeks: tuple[tuple[float, str], ...]
    bounds: tuple[float, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


Series = Sequence[tuple[int, float]]


def chart(text_key: str, series: Sequence[Series], bounds: Sequence[float] = ()) -> Chart | None:
    """A chart of (day of pregnancy, value) pairs; None when nothing was measured."""
    values = [value for line in series for _, value in line]
    if not values:
        return None
    low, high = min([*values, *bounds]), max([*values, *bounds])
    margin = max(1.0, (high - low) * 0.1)
    low, high = low - margin, high + margin

    def place(day: int, value: float) -> tuple[float, float]:
        across = LEFT + (WIDTH - LEFT - RIGHT) * min(day, LAST_WEEK * 7) / (LAST_WEEK * 7)
        down = TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)
        return round(across, 1), round(down, 1)

    lines = tuple(
        tuple(Dot(*place(day, value), f"{day // 7}+{day % 7}: {value:g}".replace(".", ",")) for day, value in line)
        for line in series
    )
    steps = [low + (high - low) * share / 3 for share in range(4)]
    return Chart(
        text_key=text_key,
        lines=lines,
        ticks=tuple((place(0, step)[1], f"{step:.0f}") for step in steps),
        weeks=tuple((place(week * 7, low)[0], str(week)) for week in range(0, LAST_WEEK + 1, 6)),
        bounds=tuple(place(0, bound)[1] for bound in bounds),
    )
