"""The list of all products in force: what they are, what they mean, and the way into each."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboards.texts import Texts
from kmis.catalogue.models import Product

KINDS = ("board", "dashboard", "unload", "report")


def draw_home(pages: Mapping[str, st.Page], products: Mapping[str, Product], texts: Texts) -> None:
    """Products by kind, each with its grain and the act that it follows."""
    language = texts.language
    st.title(texts("home.title"), anchor=False)
    st.caption(texts("home.subtitle"))
    for kind in KINDS:
        of_kind = [product for product in products.values() if product.kind == kind]
        if not of_kind:
            continue
        st.subheader(texts(f"kind.{kind}"), anchor=False)
        for product in of_kind:
            with st.container(border=True, key=f"product-{product.id.lower()}"):
                st.page_link(pages[product.id], label=f"**{product.id}** · {product.titles.text(language)}")
                st.caption(f"{product.grain.text(language)} · {product.act.titles.text(language)}")
