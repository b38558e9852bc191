"""The temperature sheet as points of a drawing: temperature, pulse and pressure over the days of a stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from operational.domains.inpatient.models import VitalSign

# The drawing in its own units; the screen and the paper scale it.
WIDTH, HEIGHT = 1000, 420
LEFT, RIGHT, TOP, BOTTOM = 128, 12, 14, 40
LINES = 8  # horizontal lines, each a degree: 35 to 42 °C
# Lowest and highest value of each scale, as printed beside the lines.
SCALES: dict[str, tuple[int, int]] = {"temperature": (35, 42), "pulse": (40, 180), "pressure": (40, 215)}
LEAST_DAYS = 3


@dataclass(frozen=True, slots=True)
class Point:
    """A value in the drawing, with what it says when pointed at."""

    x: float
    y: float
    value: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Bar:
    """The pressure of one measurement: from the upper to the lower."""

    x: float
    top: float
    bottom: float
    value: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A horizontal line with its number on each scale."""

    y: float
    temperature: int
    pulse: int
    pressure: int


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the sheet: where it begins, its middle, its date."""

    x: float
    middle: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole drawing."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    lines: Sequence[Line]
    days: Sequence[Day]
    temperature: Sequence[Point]
    pulse: Sequence[Point]
    pressure: Sequence[Bar]

    @staticmethod
    def path(points: Sequence[Point]) -> str:
        """The points as an SVG polyline."""
        return " ".join(f"{point.x},{point.y}" for point in points)


def draw(rows: Sequence[VitalSign], zone: ZoneInfo) -> Chart | None:
    """The sheet of the measurements; None when there are none."""
    if not rows:
        return None
    first = _midnight(rows[0].measured_at, zone)
    last = _midnight(rows[-1].measured_at, zone)
    count = max(LEAST_DAYS, (last.date() - first.date()).days + 1)
    days = [first + timedelta(days=number) for number in range(count + 1)]
    span = (days[-1] - days[0]) / timedelta(minutes=1)

    def across(at: datetime) -> float:
        share = ((at - days[0]) / timedelta(minutes=1)) / span
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    return Chart(
        width=WIDTH, height=HEIGHT, left=LEFT, right=WIDTH - RIGHT, top=TOP, bottom=HEIGHT - BOTTOM,
        lines=[_line(number) for number in range(LINES)],
        days=[
            Day(across(day), round((across(day) + across(following)) / 2, 1), day)
            for day, following in pairwise(days)
        ],
        temperature=[
            Point(across(row.measured_at), _down("temperature", row.temperature),
                  str(row.temperature).replace(".", ","), row.measured_at)
            for row in rows if row.temperature is not None
        ],
        pulse=[
            Point(across(row.measured_at), _down("pulse", row.pulse), str(row.pulse), row.measured_at)
            for row in rows if row.pulse is not None
        ],
        pressure=[
            Bar(across(row.measured_at), _down("pressure", row.systolic), _down("pressure", row.diastolic),
                f"{row.systolic}/{row.diastolic}", row.measured_at)
            for row in rows if row.systolic is not None and row.diastolic is not None
        ],
    )  # fmt: skip


def _midnight(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _down(scale: str, value: Decimal | int) -> float:
    """Where the value stands from above; one outside the scale stands at its edge."""
    low, high = SCALES[scale]
    share = min(1.0, max(0.0, (float(value) - low) / (high - low)))
    return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)


def _line(number: int) -> Line:
    values = {name: low + number * (high - low) // (LINES - 1) for name, (low, high) in SCALES.items()}
    return Line(y=_down("temperature", values["temperature"]), **values)
