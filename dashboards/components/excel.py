"""The Excel button of a level: orders the unload of this very selection and snapshot, then links to it."""

from __future__ import annotations

import streamlit as st

from dashboards import services
from dashboards.components.view import View
from dashboards.unloads import UnloadOrder, UnloadRefused, operational_url

_ORDERED = "ordered-unloads"


def draw_excel(view: View) -> None:
    """A button before the order, a link to the file's page after it; nothing without the right to unloads."""
    if services.UNLOADS_PERMISSION not in view.permissions:
        return
    order = UnloadOrder(view.product.id, view.selection, view.snapshot_id, view.texts.language)
    ordered: dict[UnloadOrder, int] = st.session_state.setdefault(_ORDERED, {})
    if order in ordered:
        host = st.context.headers.get("Host")
        st.link_button(
            view.texts("excel.open", number=ordered[order]),
            operational_url(host, services.settings(), f"/unloads/{ordered[order]}"),
            icon=":material/download:",
            type="primary",
        )
        return
    if st.button(view.texts("excel.button"), key="excel", icon=":material/table_view:", help=view.texts("excel.help")):
        try:
            ordered[order] = services.unloads().order(services.token(), order)
        except UnloadRefused as refusal:
            st.error(view.texts(refusal.key))
        else:
            st.rerun()
