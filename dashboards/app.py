"""What runs for each interaction of a user: who it is, which pages there are, the page that the address names."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from dashboards import services
from dashboards.pages.board import draw_board
from dashboards.pages.home import KINDS, draw_home
from dashboards.pages.product import draw_product
from dashboards.sessions import SessionIdentity
from dashboards.texts import Texts
from dashboards.theme import PAGE_CSS
from dashboards.unloads import operational_url
from kmis.catalogue.models import Product
from kmis.query import QueryError

_log = logging.getLogger(__name__)
_ICON = Path(__file__).parent / "static" / "icon.svg"
_OWNER = "owner-user-id"
_ICONS = {
    "board": ":material/monitor_heart:",
    "dashboard": ":material/bar_chart:",
    "unload": ":material/table_view:",
    "report": ":material/assignment:",
}
Draw = Callable[[Product, Texts], None]


def main() -> None:
    """One run of the script for one user."""
    try:
        user = services.identity()
    except services.NotSignedIn:
        # The guard has already refused such a socket; a run that was under way shows nothing more.
        st.stop()
    _own_state(user)
    texts = Texts(user.language)
    # Without an icon of our own the browser would be sent to a foreign host for the one of the page.
    st.set_page_config(page_title=texts("app.title"), page_icon=_ICON, layout="wide")
    st.html(PAGE_CSS)
    products = {product.id: product for product in services.query().catalogue.on(services.today())}
    pages = {product.id: _page(product, texts) for product in products.values()}
    home = st.Page(
        partial(draw_home, pages, products, texts),
        title=texts("home.nav"),
        url_path="home",
        icon=":material/apps:",
        default=True,
    )
    sections: dict[str, list[st.Page]] = {"": [home]}
    for kind in KINDS:
        of_kind = [pages[product.id] for product in products.values() if product.kind == kind]
        if of_kind:
            sections[texts(f"kind.{kind}")] = of_kind
    chosen = st.navigation(sections, expanded=True)  # the fold speaks English only
    _draw_user(user, texts)
    chosen.run()


def _own_state(user: SessionIdentity) -> None:
    """Forgets what another user left in this tab: Streamlit may hand an old tab's state to a new socket."""
    if st.session_state.get(_OWNER, user.user_id) != user.user_id:
        st.session_state.clear()
        st.query_params.clear()
    st.session_state[_OWNER] = user.user_id


def _page(product: Product, texts: Texts) -> st.Page:
    draw: Draw = draw_board if product.kind == "board" else draw_product
    return st.Page(
        partial(draw_safely, draw, product, texts),
        title=f"{product.id} {product.short_titles.text(texts.language)}",
        url_path=product.id.lower(),
        icon=_ICONS[product.kind],
    )


def draw_safely(draw: Draw, product: Product, texts: Texts) -> None:
    """Draws a page; what the query service refuses is told in the user's words."""
    try:
        draw(product, texts)
    except QueryError as problem:
        st.error(texts(problem.key), icon=":material/error:")
        st.button(texts("error.retry"), key="retry")
    except Exception as problem:
        # The text of an error may quote values of a row; where it arose is enough to find it.
        where = "".join(traceback.format_tb(problem.__traceback__)[-4:])
        _log.error("page %s failed with %s\n%s", product.id, type(problem).__name__, where)
        st.error(texts("error.unexpected"), icon=":material/error:")
        st.button(texts("error.retry"), key="retry")


def _draw_user(user: SessionIdentity, texts: Texts) -> None:
    host = st.context.headers.get("Host")
    with st.sidebar:
        st.caption(user.display_name)
        st.link_button(
            texts("app.back"),
            operational_url(host, services.settings(), "/"),
            icon=":material/arrow_back:",
            width="stretch",
        )
