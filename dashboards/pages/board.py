"""A live board of the day: what needs attention first, then every member with its tinted figures."""

from __future__ import annotations

import streamlit as st

from dashboards import formats
from dashboards.components.breakdown import choose_measure, draw_breakdown, draw_structure
from dashboards.components.excel import draw_excel
from dashboards.components.figures import draw_figures
from dashboards.components.header import draw_header
from dashboards.components.path import draw_path
from dashboards.components.rows import draw_rows
from dashboards.components.selectors import draw_selectors
from dashboards.components.view import View, open_view
from dashboards.texts import Texts
from kmis.catalogue.models import Product

_MOST_FLAGS = 8
_ORGANISATION = "organisation"


def draw_board(product: Product, texts: Texts) -> None:
    """The whole board; refusals of the query service reach the caller."""
    view = open_view(product, texts)
    draw_header(view)
    draw_selectors(view)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(width="stretch"):
            draw_path(view)
        draw_excel(view)
    draw_figures(view)
    draw_attention(view)
    measure = choose_measure(view)
    draw_breakdown(view, measure)
    draw_structure(view, measure)
    draw_rows(view)


def draw_attention(view: View) -> None:
    """Members of the next level (at the highest: organisations) that passed a limit, the critical first."""
    levels = view.query.next_levels(view.product.id, view.selection)
    if not levels:
        return
    order = view.product.drill_dimensions
    dimension = levels[0].name
    # A limit is passed by an organisation, not by the region or district above it.
    if _ORGANISATION in order and order.index(dimension) < order.index(_ORGANISATION):
        dimension = _ORGANISATION
    found = view.query.breakdown(view.product.id, view.selection, dimension, view.scope, view.snapshot_id)
    language = view.texts.language
    flags = [
        (value.attention, row, value)
        for row in found.rows
        for value in row.measures.values()
        if value.attention != "none" and not value.measure.hidden
    ]
    flags.sort(key=lambda flag: flag[0] != "critical")
    st.subheader(view.texts("attention.title"), anchor=False)
    if not flags:
        st.success(view.texts("attention.nothing"), icon=":material/check_circle:")
        return
    with st.container(horizontal=True, gap="small", key="attention-flags"):
        for attention, row, value in flags[:_MOST_FLAGS]:
            name = row.label.marked(language) or view.texts("unknown")
            st.button(
                formats.plain(
                    f"{name}: {value.measure.titles.text(language)} — {formats.measure_text(value, view.texts)}"
                ),
                key=f"flag-{dimension}-{row.key}-{value.name}",
                icon=":material/error:" if attention == "critical" else ":material/warning:",
                help=view.texts(f"attention.{attention}"),
                wrap=True,
                on_click=view.go,
                args=(view.selection.drill(dimension, row.key),),
            )
    if len(flags) > _MOST_FLAGS:
        st.caption(view.texts("attention.more", n=len(flags) - _MOST_FLAGS))
