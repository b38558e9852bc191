"""Period with presets, and filters. Controls take their value from the address and write it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import streamlit as st

from dashboards.address import DAY_PRESETS, RANGE_PRESETS, Preset, preset_of, preset_period
from dashboards.components.view import View
from kmis.query import SelectionError

_EARLIEST = date(2000, 1, 1)


def draw_selectors(view: View) -> None:
    """One row: preset, ends of the period (one day on a board), filters."""
    by_day = view.product.period == "day"
    presets = DAY_PRESETS if by_day else RANGE_PRESETS
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="selectors"):
        _draw_preset(view, presets)
        if by_day:
            _draw_day(view)
        else:
            _draw_range(view)
        _draw_filters(view)


def _draw_preset(view: View, presets: tuple[Preset, ...]) -> None:
    st.session_state["preset"] = preset_of(view.selection, presets, view.today)

    def changed() -> None:
        chosen: Preset = st.session_state["preset"]
        if chosen != "custom":
            first, last = preset_period(chosen, view.today)
            view.go(replace(view.selection, period_from=first, period_to=last))

    st.selectbox(
        view.texts("period.label"),
        presets,
        key="preset",
        format_func=lambda preset: view.texts(f"period.{preset}"),
        on_change=changed,
        width=190,
    )


def _draw_day(view: View) -> None:
    st.session_state["day"] = view.selection.period_to

    def changed() -> None:
        day = st.session_state["day"]
        view.go(replace(view.selection, period_from=day, period_to=day))

    st.date_input(
        view.texts("period.day"),
        key="day",
        format="DD.MM.YYYY",
        min_value=_EARLIEST,
        on_change=changed,
        width=150,
    )


def _draw_range(view: View) -> None:
    # A period typed the wrong way round stays in the fields until it is put right.
    wrong = st.session_state.pop("wrong-period", None)
    first, last = wrong or (view.selection.period_from, view.selection.period_to)
    st.session_state["from"], st.session_state["to"] = first, last

    def changed() -> None:
        ends = st.session_state["from"], st.session_state["to"]
        try:
            view.go(replace(view.selection, period_from=ends[0], period_to=ends[1]))
        except SelectionError:
            st.session_state["wrong-period"] = ends

    for name in ("from", "to"):
        st.date_input(
            view.texts(f"period.{name}"),
            key=name,
            format="DD.MM.YYYY",
            min_value=_EARLIEST,
            on_change=changed,
            width=150,
        )
    if wrong:
        st.error(view.texts("selection.period_reversed"))


def _draw_filters(view: View) -> None:
    names = tuple(name for name in view.product.dimensions if name in view.product.selectable)
    if not names:
        return
    popover = st.popover(view.texts("filters.button"), icon=":material/filter_alt:", key="filters", on_change="rerun")
    # Options are read only for an open filter box: most visits to a page never open it.
    if not popover.open:
        return
    with popover:
        for name in names:
            _draw_filter(view, name)
        if view.selection.filters:
            st.button(
                view.texts("filters.clear"),
                key="filters-clear",
                on_click=view.go,
                args=(replace(view.selection, filters={}),),
            )


def _draw_filter(view: View, name: str) -> None:
    labels = view.query.filter_values(
        view.product.id, name, view.scope, view.snapshot_id, view.selection.filtered(name)
    )
    names = {label.key: label.marked(view.texts.language) or view.texts("unknown") for label in labels}
    chosen = view.selection.filters.get(name, ())
    names.update({key: key or view.texts("unknown") for key in chosen if key not in names})
    key = f"filter-{name}"
    st.session_state[key] = list(chosen)

    def changed() -> None:
        view.go(view.selection.filtered(name, *st.session_state[key]))

    st.multiselect(
        view.title_of(name),
        list(names),
        key=key,
        format_func=names.__getitem__,
        on_change=changed,
        placeholder=view.texts("filters.any"),
    )
