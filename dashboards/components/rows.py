"""The rows behind a figure: search, order, pages. What is searched for stays out of the address."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime

import pandas as pd  # type: ignore[import-untyped]  # comes with Streamlit, which has no stubs for it
import streamlit as st

from dashboards import formats, services
from dashboards.components.view import View
from kmis.catalogue.models import Column
from kmis.query import RowPage
from kmis.query.contract import Cell

PAGE_SIZE = 50
_NUMBERS = ("integer", "number", "money")
_ALL = ""
_CELLS = "cells of the unload"


def draw_rows(view: View) -> None:
    """At the last level the rows themselves; above it they open on demand."""
    if services.ROWS_PERMISSION not in view.permissions:
        return
    last_level = not view.query.next_levels(view.product.id, view.selection)
    if not last_level and not st.toggle(view.texts("rows.toggle"), key=f"rows-on-{view.product.id}"):
        return
    st.subheader(view.texts("rows.title"), anchor=False)
    place = f"{view.product.id}-{view.selection.to_query()}"
    controls = st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="rows-controls")
    with controls:
        listed = _choose_list(view, place)
    if listed == _CELLS:
        _draw_cells(view, place)
        return
    measure = listed or None
    with controls:
        search, sort, descending = _order(view, place, measure)
    # A control's key stands in the page's markup, so the text searched for enters it as a number only.
    key = f"page-{place}-{hash((measure, search, sort, descending))}"
    found = view.query.rows(
        view.product.id,
        view.selection,
        view.scope,
        view.snapshot_id,
        language=view.texts.language,
        page=int(st.session_state.get(key, 1)),
        page_size=PAGE_SIZE,
        sort=sort,
        descending=descending,
        search=search or None,
        measure=measure,
    )
    _draw_page(view, found, key)


def _order(view: View, place: str, measure: str | None) -> tuple[str, str | None, bool]:
    """What is searched for, the column that orders, and whether downwards."""
    search = st.text_input(
        view.texts("rows.search"),
        key=f"search-{place}",
        placeholder=view.texts("rows.search_hint"),
        width=260,
    )
    sort = _choose_sort(view, place, measure)
    return search.strip(), sort, st.checkbox(view.texts("rows.descending"), key=f"descending-{place}")


def _draw_cells(view: View, place: str) -> None:
    """The cells of an aggregated unload: what its Excel file holds, line by line."""
    key = f"cells-{place}"
    found = view.query.cells(
        view.product.id,
        view.selection,
        view.scope,
        view.snapshot_id,
        language=view.texts.language,
        page=int(st.session_state.get(key, 1)),
        page_size=PAGE_SIZE,
    )
    _draw_page(view, found, key)


def _choose_list(view: View, place: str) -> str:
    """Which rows: all, those behind one figure, or the cells of an unload that is made of cells."""
    language = view.texts.language
    figures = {measure.name: measure for measure in view.product.shown_measures if not measure.derived}
    cells = [_CELLS] if view.product.unload == "cells" else []
    names = {_CELLS: view.texts("rows.cells"), _ALL: view.texts("rows.all")}
    names |= {name: measure.titles.text(language) for name, measure in figures.items()}
    if not cells and len(figures) < 2:
        return _ALL
    chosen: str = st.selectbox(
        view.texts("rows.measure"),
        [*cells, _ALL, *figures],
        key=f"rows-measure-{place}",
        format_func=names.__getitem__,
        width=260,
    )
    return chosen


def _choose_sort(view: View, place: str, measure: str | None) -> str | None:
    source = view.product.source(view.product.measure(measure).source if measure else None)
    titles = {
        column.name: column.titles.text(view.texts.language)
        for column in source.columns
        if view.scope.show_identifiers or not column.identifier
    }
    chosen: str = st.selectbox(
        view.texts("rows.sort"),
        [_ALL, *titles],
        key=f"sort-{place}-{measure}",
        format_func=lambda name: titles.get(name, view.texts("rows.sort_default")),
        width=200,
    )
    return chosen or None


def _draw_page(view: View, found: RowPage, key: str) -> None:
    texts = view.texts
    if not found.found:
        st.info(texts("empty.search" if found.total else "empty.period"), icon=":material/inbox:")
        return
    pages = math.ceil(found.found / found.page_size)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        first = (found.page - 1) * found.page_size + 1
        st.markdown(
            texts(
                "rows.count",
                first=formats.number(first),
                last=formats.number(min(first + found.page_size - 1, found.found)),
                found=formats.number(found.found),
            ),
            width="content",
        )
        if pages > 1:
            st.number_input(texts("rows.page", pages=pages), 1, pages, key=key, width=150)
    st.dataframe(
        row_frame(found, view),
        hide_index=True,
        width="stretch",
        height=min(560, 42 + 35 * len(found.rows)),
        key=f"rows-table-{view.product.id}",
        placeholder="",
    )


def row_frame(found: RowPage, view: View) -> pd.io.formats.style.Styler:
    """The page as a frame under the columns' titles, every cell in its written form."""
    titles = [column.titles.text(view.texts.language) for column in found.columns]
    cells = {title: [row[place] for row in found.rows] for place, title in enumerate(titles)}
    frame = pd.DataFrame(cells, dtype=object)
    style = frame.style
    for title, column in zip(titles, found.columns, strict=True):
        if column.type in _NUMBERS:
            frame[title] = pd.to_numeric(frame[title])
        style = style.format(_writer(column, view), subset=[title], na_rep="")
    return style


def _writer(column: Column, view: View) -> Callable[[Cell], str]:
    texts = view.texts

    def write(value: Cell) -> str:
        if value is None:
            return ""
        if column.type == "money" and not isinstance(value, str | date):
            return formats.number(value, 2)
        if column.type in ("integer", "number") and not isinstance(value, str | date):
            return formats.number(value, 0 if float(value).is_integer() else 2)
        if column.type == "flag":
            return texts("yes") if value else texts("no")
        if isinstance(value, datetime):
            return f"{value.astimezone(view.zone) if value.tzinfo else value:%d.%m.%Y %H:%M}"
        return formats.day(value) if isinstance(value, date) else str(value)

    return write
