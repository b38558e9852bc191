"""Exploration of one product out of the catalogue: figures, structure, trend, drill and rows."""

from __future__ import annotations

import streamlit as st

from dashboards.components.breakdown import choose_measure, draw_breakdown, draw_structure
from dashboards.components.excel import draw_excel
from dashboards.components.figures import draw_figures
from dashboards.components.header import draw_header
from dashboards.components.path import draw_path
from dashboards.components.rows import draw_rows
from dashboards.components.selectors import draw_selectors
from dashboards.components.trend import draw_trend
from dashboards.components.view import open_view
from dashboards.texts import Texts
from kmis.catalogue.models import Product


def draw_product(product: Product, texts: Texts) -> None:
    """The whole page of a product; refusals of the query service reach the caller."""
    view = open_view(product, texts)
    draw_header(view)
    draw_selectors(view)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(width="stretch"):
            draw_path(view)
        draw_excel(view)
    draw_figures(view)
    measure = choose_measure(view)
    draw_breakdown(view, measure)
    draw_structure(view, measure)
    draw_trend(view, measure)
    draw_rows(view)
