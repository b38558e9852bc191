"""The course of a measure over the period."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Literal

import streamlit as st

from dashboards import formats
from dashboards.components import charts
from dashboards.components.view import View
from kmis.catalogue.models import Measure

_DAYS_BY_DAY = 92
_DAYS_BY_MONTH = 366 * 5
Step = Literal["day", "month", "year"]


def step_for(first: date, last: date) -> Step:
    """Days for a quarter, months for five years, then years."""
    days = (last - first).days + 1
    if days <= _DAYS_BY_DAY:
        return "day"
    return "month" if days <= _DAYS_BY_MONTH else "year"


def draw_trend(view: View, measure: Measure) -> None:
    """Columns by day, month or year; a click narrows the period to that column."""
    selection = view.selection
    if selection.period_from == selection.period_to:
        return
    step = step_for(selection.period_from, selection.period_to)
    title = f"{view.texts(f'trend.{step}')} · {measure.titles.text(view.texts.language)}"
    st.subheader(formats.plain(title), anchor=False)
    points = view.query.trend(view.product.id, selection, view.scope, view.snapshot_id, step=step)
    if not points:
        st.info(view.texts("empty.period"), icon=":material/inbox:")
        return
    key = f"trend-{selection.to_query()}-{measure.name}"

    def clicked() -> None:
        chosen = st.session_state[key]["selection"]["points"]
        if chosen:
            first = points[int(chosen[0]["point_index"])].start
            view.go(
                replace(
                    selection,
                    period_from=max(first, selection.period_from),
                    period_to=min(last_day(first, step), selection.period_to),
                )
            )

    st.plotly_chart(
        charts.trend(
            [(point.start, point.value(measure.name)) for point in points],
            selection.period_from,
            selection.period_to,
            step,
        ),
        key=key,
        on_select=clicked,
        selection_mode="points",
        config=charts.CONFIG,
    )


def last_day(first: date, step: Step) -> date:
    """The last day of the day, month or year that starts with `first`."""
    if step == "day":
        return first
    if step == "year":
        return date(first.year, 12, 31)
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
