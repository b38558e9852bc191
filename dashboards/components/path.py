"""The drill path: each step is a button that goes back to it."""

from __future__ import annotations

import streamlit as st

from dashboards import formats
from dashboards.components.view import View


def draw_path(view: View) -> None:
    """All steps from the whole scope down to here, and the filters that narrow them, each removable."""
    labels = view.query.path_labels(view.product.id, view.selection, view.scope, view.snapshot_id)
    steps = [view.texts("path.all")]
    for (dimension, _), label in zip(view.selection.path, labels, strict=True):
        name = label.marked(view.texts.language) or view.texts("unknown")
        steps.append(formats.plain(f"{view.title_of(dimension)}: {name}"))
    last = len(steps) - 1
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key="path"):
        for depth, step in enumerate(steps):
            if depth:
                st.markdown("›", width="content")
            if depth == last:
                st.markdown(f"**{step}**", width="content")
            else:
                st.button(
                    step,
                    key=f"path-{depth}",
                    type="tertiary",
                    wrap=True,
                    on_click=view.go,
                    args=(view.selection.up(depth),),
                    help=view.texts("path.back"),
                )
    _draw_filters(view)


def _draw_filters(view: View) -> None:
    if not view.selection.filters:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="chosen-filters"):
        for dimension, keys in view.selection.filters.items():
            known = {
                label.key: label.marked(view.texts.language)
                for label in view.query.filter_values(
                    view.product.id, dimension, view.scope, view.snapshot_id, view.selection
                )
            }
            for key in keys:
                rest = tuple(other for other in keys if other != key)
                name = known.get(key, key) or view.texts("unknown")
                st.button(
                    formats.plain(f"{view.title_of(dimension)}: {name}"),
                    key=f"filter-off-{dimension}-{key}",
                    icon=":material/close:",
                    wrap=True,
                    on_click=view.go,
                    args=(view.selection.filtered(dimension, *rest),),
                    help=view.texts("filters.remove"),
                )
