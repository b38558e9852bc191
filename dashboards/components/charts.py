"""Plotly figures of the dashboards, in one quiet style. No data is read here."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

import plotly.graph_objects as go

from dashboards import formats
from dashboards.theme import ACCENT, ATTENTION, CRITICAL, INK, LINE, MUTED

CONFIG: Final = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
_BAR_COLOURS: Final = {"none": ACCENT, "attention": ATTENTION, "critical": CRITICAL}
_LINE_LETTERS: Final = 30
_MOST_LINES: Final = 2
_BAR_PIXELS: Final = 34
_FEW: Final = 6
_HALF_STEP: Final = {"day": timedelta(hours=12), "month": timedelta(days=16), "year": timedelta(days=183)}


@dataclass(frozen=True, slots=True)
class Bar:
    """One member of a dimension: key of the drill, name, value, its text and its attention state."""

    key: str
    name: str
    value: float | int | None
    text: str
    attention: str = "none"


def bars(items: Sequence[Bar]) -> go.Figure:
    """Horizontal bars, the first on top; a click on one gives its place in `items`."""
    figure = go.Figure(
        go.Bar(
            orientation="h",
            x=[item.value or 0 for item in items],
            y=[str(place) for place in range(len(items))],
            text=[item.text for item in items],
            textposition="auto",
            textangle=0,
            cliponaxis=False,
            marker_color=[_BAR_COLOURS[item.attention] for item in items],
            customdata=[[html.escape(item.name), item.text] for item in items],
            hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
        )
    )
    _calm(figure, height=60 + _BAR_PIXELS * len(items))
    figure.update_yaxes(
        autorange="reversed",
        type="category",
        tickmode="array",
        tickvals=[str(place) for place in range(len(items))],
        ticktext=[_lines(item.name) for item in items],
        automargin=True,
        showgrid=False,
    )
    figure.update_xaxes(rangemode="tozero", showgrid=True, gridcolor=LINE, **_ticks([item.value for item in items]))
    return figure


def trend(points: Sequence[tuple[date, float | int | None]], first: date, last: date, step: str) -> go.Figure:
    """Columns over time; a day without data is a gap, not a zero."""
    days = [day for day, _ in points]
    figure = go.Figure(
        go.Bar(
            x=days,
            y=[value for _, value in points],
            marker_color=ACCENT,
            width=1.44 * 1000 * _HALF_STEP[step].total_seconds(),
            customdata=[[_day_text(day, step), formats.number(value)] for day, value in points],
            hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
        )
    )
    _calm(figure, height=230)
    shown = days[:: max(1, -(-len(days) // 8))]
    half = _HALF_STEP[step]
    figure.update_xaxes(
        type="date",
        range=[datetime.combine(first, time()) - half, datetime.combine(last, time()) + half],
        tickmode="array",
        tickvals=shown,
        ticktext=[_day_text(day, step, short=True) for day in shown],
        tickangle=0,
    )
    figure.update_yaxes(rangemode="tozero", gridcolor=LINE, **_ticks([value for _, value in points]))
    return figure


def _ticks(values: Sequence[float | int | None]) -> dict[str, float]:
    """Few ticks, and none between whole numbers where the values are small counts."""
    known = [value for value in values if value is not None]
    small = known and max(known) <= _FEW and all(float(value).is_integer() for value in known)
    return {"dtick": 1} if small else {"nticks": 6}


def _day_text(value: date, step: str, *, short: bool = False) -> str:
    if step == "year":
        return f"{value:%Y}"
    if step == "month":
        return f"{value:%m.%Y}"
    return f"{value:%d.%m}" if short else formats.day(value)


def _lines(name: str) -> str:
    """The name on at most two lines of an axis; markup in it stays text."""
    lines = textwrap.wrap(name, _LINE_LETTERS, break_long_words=False) or [""]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1] + "…"]
    return "<br>".join(html.escape(line) for line in lines)


def _calm(figure: go.Figure, height: int) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 24, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": INK, "size": 13},
        separators="," + formats.THIN_SPACE,
        bargap=0.28,
        clickmode="event+select",
        dragmode=False,
        hoverlabel={"bgcolor": "#ffffff", "font": {"color": INK}},
    )
    figure.update_xaxes(title_font={"size": 12, "color": MUTED}, fixedrange=True, zeroline=False)
    figure.update_yaxes(title_font={"size": 12, "color": MUTED}, fixedrange=True, zeroline=False)
