"""What a figure consists of at the next level: bars, the same as a table, and three ways to open a member.

A click on a bar, the selection of a table row (arrow keys and the space bar) and a list that takes typed
letters all do the same step of the drill.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd  # type: ignore[import-untyped]  # comes with Streamlit, which has no stubs for it
import streamlit as st

from dashboards import formats
from dashboards.components import charts
from dashboards.components.view import View
from kmis.catalogue.models import Measure
from kmis.query import BreakdownRow

_MOST_BARS = 25
_LETTER_PIXELS, _NARROWEST_NAME, _WIDEST_NAME = 8, 120, 330
_TINTS = {"attention": "background-color: #fbf0d9", "critical": "background-color: #fbe3e1"}


def choose_measure(view: View) -> Measure:
    """The measure that bars and trend show; kept for the page while it is open."""
    measures = {measure.name: measure for measure in view.product.shown_measures}
    if len(measures) == 1:
        return next(iter(measures.values()))
    name = st.selectbox(
        view.texts("measure.label"),
        list(measures),
        key=f"measure-{view.product.id}",
        format_func=lambda each: measures[each].titles.text(view.texts.language),
        width=420,
    )
    return measures[name]


def draw_breakdown(view: View, measure: Measure) -> None:
    """The next level of the drill with its bars and table; nothing at the last level."""
    levels = view.query.next_levels(view.product.id, view.selection)
    if not levels:
        return
    names = [level.name for level in levels]
    dimension = names[0]
    if len(names) > 1:
        dimension = st.segmented_control(
            view.texts("level.label"),
            names,
            default=names[0],
            required=True,
            key=f"level-{view.product.id}-{len(view.selection.path)}",
            format_func=view.title_of,
        )
    _head(view, view.texts("level.title", dimension=view.title_of(dimension)), measure)
    found = view.query.breakdown(view.product.id, view.selection, dimension, view.scope, view.snapshot_id)
    if not found.rows:
        st.info(view.texts("empty.period"), icon=":material/inbox:")
        return
    _draw_opener(view, dimension, found.rows)
    st.caption(view.texts("level.hint"))
    _draw_bars(view, dimension, found.rows, measure, lambda key: view.go(view.selection.drill(dimension, key)))
    _draw_table(view, dimension, found.rows)


def draw_structure(view: View, measure: Measure) -> None:
    """The structure by a chosen dimension; a click on a bar narrows the page to that member."""
    names = [name for name in view.product.structure if name not in dict(view.selection.path)]
    if not names:
        return
    _head(view, view.texts("structure.title"), measure)
    dimension = names[0]
    if len(names) > 1:
        dimension = st.selectbox(
            view.texts("structure.label"),
            names,
            key=f"structure-{view.product.id}",
            format_func=view.title_of,
            width=420,
        )
    found = view.query.breakdown(view.product.id, view.selection, dimension, view.scope, view.snapshot_id)
    if not found.rows:
        st.info(view.texts("empty.period"), icon=":material/inbox:")
        return
    _draw_bars(view, dimension, found.rows, measure, lambda key: view.go(view.selection.filtered(dimension, key)))


def _head(view: View, title: str, measure: Measure) -> None:
    st.subheader(formats.plain(f"{title} · {measure.titles.text(view.texts.language)}"), anchor=False)


def _name(view: View, row: BreakdownRow) -> str:
    return row.label.marked(view.texts.language) or view.texts("unknown")


def _draw_opener(view: View, dimension: str, rows: tuple[BreakdownRow, ...]) -> None:
    names = {row.key: _name(view, row) for row in rows}
    key = f"open-{view.selection.to_query()}-{dimension}"

    def opened() -> None:
        chosen = st.session_state[key]
        if chosen is not None:
            view.go(view.selection.drill(dimension, chosen))

    st.selectbox(
        view.texts("level.open"),
        list(names),
        index=None,
        key=key,
        format_func=names.__getitem__,
        on_change=opened,
        placeholder=view.texts("level.open_placeholder"),
        label_visibility="collapsed",
        width=420,
    )


def _draw_bars(
    view: View,
    dimension: str,
    rows: tuple[BreakdownRow, ...],
    measure: Measure,
    narrow: Callable[[str], None],
) -> None:
    values = [(row, row.measures[measure.name]) for row in rows]
    # Closed lists such as hours and age groups have an order of their own, names of a directory go by size.
    known = view.query.catalogue.dimensions[dimension]
    ordered = bool(known.values) or (known.directory is not None and known.directory.age_from is not None)
    if not ordered:
        values.sort(key=lambda pair: (pair[1].value is None, -(pair[1].value or 0)))
    items = [
        charts.Bar(row.key, _name(view, row), value.value, formats.measure_text(value, view.texts), value.attention)
        for row, value in values[:_MOST_BARS]
    ]
    key = f"bars-{dimension}-{view.selection.to_query()}-{measure.name}"

    def clicked() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            narrow(items[int(points[0]["point_index"])].key)

    st.plotly_chart(
        charts.bars(items),
        key=key,
        on_select=clicked,
        selection_mode="points",
        config=charts.CONFIG,
        alt=", ".join(f"{item.name}: {item.text}" for item in items),
    )
    if len(values) > _MOST_BARS:
        st.caption(view.texts("level.more", shown=_MOST_BARS, total=len(values)))


def _draw_table(view: View, dimension: str, rows: tuple[BreakdownRow, ...]) -> None:
    key = f"table-{dimension}-{view.selection.to_query()}"

    def selected() -> None:
        chosen = st.session_state[key]["selection"]["rows"]
        if chosen:
            view.go(view.selection.drill(dimension, rows[int(chosen[0])].key))

    longest = max(len(_name(view, row)) for row in rows)
    first = min(_WIDEST_NAME, max(_NARROWEST_NAME, _LETTER_PIXELS * longest))
    st.dataframe(
        measure_table(view, dimension, rows),
        key=key,
        hide_index=True,
        on_select=selected,
        selection_mode="single-row",
        width="stretch",
        placeholder=formats.UNKNOWN,
        column_config={view.title_of(dimension): st.column_config.Column(pinned=True, width=first)},
    )


def measure_table(view: View, dimension: str, rows: tuple[BreakdownRow, ...]) -> pd.io.formats.style.Styler:
    """Members and all measures, in the region's number format, cells tinted where they need attention."""
    language = view.texts.language
    head = view.title_of(dimension)
    measures = view.product.shown_measures
    titles = _unique([head, *(measure.titles.text(language) for measure in measures)])[1:]
    frame = pd.DataFrame(
        {head: [_name(view, row) for row in rows]}
        | {
            title: pd.array([row.value(measure.name) for row in rows], dtype="Float64")
            for title, measure in zip(titles, measures, strict=True)
        }
    )
    tints = pd.DataFrame("", index=frame.index, columns=frame.columns)
    for title, measure in zip(titles, measures, strict=True):
        tints[title] = [_TINTS.get(row.measures[measure.name].attention, "") for row in rows]
    decimals = {title: measure.decimals for title, measure in zip(titles, measures, strict=True)}
    style = frame.style.apply(lambda _: tints, axis=None)
    for title, places in decimals.items():
        style = style.format(lambda value, places=places: formats.number(value, places), subset=[title], na_rep="—")
    return style


def _unique(titles: list[str]) -> list[str]:
    """The titles, a repeated one with its number, since a frame knows columns by name."""
    seen: dict[str, int] = {}
    result = []
    for title in titles:
        seen[title] = seen.get(title, 0) + 1
        result.append(title if seen[title] == 1 else f"{title} ({seen[title]})")
    return result
