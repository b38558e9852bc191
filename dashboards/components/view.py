"""What a run of a product's page looks at, and the ways in which a control changes the address.

The address is the only state of a page that outlives a run: a control writes it in its callback and the run
that follows reads it. So what a user sees can be sent to a colleague.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards import services
from dashboards.address import Address, default_selection, read_address
from dashboards.texts import Texts
from kmis.catalogue.models import Product
from kmis.query import Published, QueryService, Scope, Selection, SelectionError, SnapshotUnknown


@dataclass(frozen=True, slots=True)
class View:
    """One product, one selection, one snapshot, one user. `held` tells that the page keeps its snapshot."""

    product: Product
    selection: Selection
    snapshot: Published
    held: bool
    scope: Scope
    texts: Texts
    today: date
    zone: ZoneInfo
    query: QueryService
    permissions: Collection[str]

    @property
    def snapshot_id(self) -> int:
        """The snapshot of every figure and row of this run."""
        return self.snapshot.snapshot_id

    def title_of(self, dimension: str) -> str:
        """The dimension's name in the user's language."""
        title: str = self.query.catalogue.dimensions[dimension].titles.text(self.texts.language)
        return title

    def go(self, selection: Selection, *, hold: bool | None = None) -> None:
        """Writes the address of another selection.

        A drill holds the snapshot it started from, so that a figure and the rows behind it stay one; the top
        level follows the newest snapshot unless the address came with one.
        """
        deeper = bool(selection.path)
        kept = (deeper or (self.held and bool(self.selection.path) == deeper)) if hold is None else hold
        write_address(Address(selection, self.snapshot_id if kept else None))

    def go_to(self, **changes: object) -> None:
        """Writes the address with fields of the selection replaced."""
        self.go(replace(self.selection, **changes))  # type: ignore[arg-type]  # names checked by replace


def write_address(address: Address) -> None:
    """Replaces the query string of the page."""
    st.query_params.from_dict(address.grouped())


def read_pairs() -> list[tuple[str, str]]:
    """The query string of the page as pairs."""
    return [(name, value) for name in st.query_params for value in st.query_params.get_all(name)]


def open_view(product: Product, texts: Texts) -> View:
    """The view that the address asks for; what it names wrongly is told and replaced by the default."""
    query = services.query()
    today = services.today()
    user = services.identity()
    try:
        address = read_address(read_pairs(), product, today)
        address.selection.checked(product, query.catalogue.dimensions)
    except SelectionError as problem:
        for key in dict.fromkeys(problem.errors.values()):
            st.error(texts(key))
        address = Address(default_selection(product, today))
        write_address(address)
    snapshot = query.current()
    held = address.snapshot_id is not None
    if address.snapshot_id is not None and address.snapshot_id != snapshot.snapshot_id:
        try:
            snapshot = query.published(address.snapshot_id)
        except SnapshotUnknown as problem:
            st.warning(texts(problem.key))
            held = False
            write_address(Address(address.selection))
    if not held and address.selection.path:
        held = True
        write_address(Address(address.selection, snapshot.snapshot_id))
    return View(
        product=product,
        selection=address.selection,
        snapshot=snapshot,
        held=held,
        scope=services.scope_of(user),
        texts=texts,
        today=today,
        zone=services.settings().zone,
        query=query,
        permissions=user.permissions,
    )
