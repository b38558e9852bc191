"""The key figures of a selection, each with its definition and its attention mark."""

from __future__ import annotations

import streamlit as st

from dashboards import formats
from dashboards.components.view import View
from kmis.query import MeasureValue

_MARKS = {"attention": ":material/warning:", "critical": ":material/error:"}


def draw_figures(view: View) -> None:
    """A card per measure; the words of the mark say what the colour says."""
    figures = view.query.figures(view.product.id, view.selection, view.scope, view.snapshot_id)
    with st.container(horizontal=True, gap="small", key="figures"):
        for measure in view.product.shown_measures:
            # The share of a selection in itself is always the whole.
            if measure.kind != "share":
                _draw_card(view, figures[measure.name])


def _draw_card(view: View, value: MeasureValue) -> None:
    language = view.texts.language
    details = value.measure.definition.text(language)
    if value.denominator is not None:
        details += f"\n\n{formats.number(value.numerator)} / {formats.number(value.denominator)}"
    marked = value.attention != "none"
    with st.container(border=True, width=170, key=f"figure-{value.name}-{value.attention}"):
        st.metric(
            value.measure.titles.text(language),
            formats.measure_text(value, view.texts),
            help=details,
            icon=_MARKS.get(value.attention),
        )
        if marked:
            colour = "red" if value.attention == "critical" else "orange"
            st.caption(f":{colour}[{view.texts(f'attention.{value.attention}')}]")
