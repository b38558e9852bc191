"""What the shell shows around a page: navigation entries and tiles of the home page, collected from the
domains.

A domain's `pages.py` declares `NAV: list[NavItem]`, `TILES: list[Tile]` and `PANELS: list[Panel]`; `setup.install`
gathers them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from operational.web.viewer import Viewer


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of the navigation, shown to those who hold the permission."""

    text_key: str
    url: str
    permission: str | None
    icon: str = "dot"
    order: int = 100
    shortcut: str | None = None  # second key of the sequence "g x"
    new_tab: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile of the home page.

    `count(session, viewer)` gives what waits for the viewer, None for no figure.
    """

    text_key: str
    url: str
    permission: str | None
    icon: str = "dot"
    order: int = 100
    hint_key: str | None = None
    count: Callable[[Any, Viewer], int | None] | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of the home page above the tiles: a fragment that reads `panel`, made by `build(request, session,
    viewer)`; None shows nothing."""

    template: str
    permission: str | None
    build: Callable[[Any, Any, Viewer], Any]
    order: int = 100


@dataclass(slots=True)
class Registry:
    """Entries gathered at start-up."""

    nav: list[NavItem] = field(default_factory=list)
    tiles: list[Tile] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)

    def add(self, nav: Iterable[NavItem] = (), tiles: Iterable[Tile] = (), panels: Iterable[Panel] = ()) -> None:
        """Add the entries of one domain, kept in order."""
        self.nav = sorted([*self.nav, *nav], key=lambda item: (item.order, item.url))
        self.tiles = sorted([*self.tiles, *tiles], key=lambda item: (item.order, item.url))
        self.panels = sorted([*self.panels, *panels], key=lambda item: (item.order, item.template))

    def nav_for(self, viewer: Viewer | None) -> list[NavItem]:
        """The entries that the viewer may open."""
        return [item for item in self.nav if viewer and viewer.can(item.permission)]

    def tiles_for(self, viewer: Viewer) -> list[Tile]:
        """The tiles that the viewer may open."""
        return [tile for tile in self.tiles if viewer.can(tile.permission)]

    def panels_for(self, viewer: Viewer) -> list[Panel]:
        """The panels that the viewer may see."""
        return [panel for panel in self.panels if viewer.can(panel.permission)]
