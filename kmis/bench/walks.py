"""Every question of the catalogue: for each product the way of a reader from the figures down to the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

from kmis.catalogue.models import Product
from kmis.query import QueryService, Scope, Selection
from kmis.query.contract import Breakdown, RowPage
from kmis.query.measures import Step

PAGE = 50
YEAR = timedelta(days=364)
Question = Callable[[QueryService, int], object]


@dataclass(frozen=True, slots=True)
class Query:
    """One question that a page asks; ``ask`` takes the service and the snapshot."""

    product: str
    period: str
    step: str
    selection: Selection
    ask: Question

    @property
    def name(self) -> str:
        """Product, step, and the selection as it stands in an address."""
        return f"{self.product} {self.step} ({self.selection.to_query()})"


@dataclass(frozen=True, slots=True)
class Walk:
    """The questions of one product and period in the order in which a reader asks them."""

    product: str
    period: str
    queries: tuple[Query, ...]


def walks(service: QueryService, scope: Scope, snapshot: int, day: date, products: tuple[str, ...] = ()) -> list[Walk]:
    """The walks of all products, or of those named: a board's day, else the month and the year up to the day.

    They are found by asking, so the service's cache is warm afterwards.
    """
    found = []
    for product in service.catalogue.products:
        if products and product.id not in products:
            continue
        spans: dict[str, tuple[date, Step]] = {"day": (day, "day")}
        if product.period == "range":
            spans = {"month": (day.replace(day=1), "day"), "year": (day - YEAR, "month")}
        for period, (first, step) in spans.items():
            walker = _Walker(service, product, scope, snapshot, period)
            found.append(Walk(product.id, period, tuple(walker.walk(Selection(first, day), step))))
    return found


@dataclass(frozen=True, slots=True)
class _Walker:
    service: QueryService
    product: Product
    scope: Scope
    snapshot: int
    period: str

    def walk(self, top: Selection, step: Step) -> Iterator[Query]:
        """Figures, trend and rows of the top, then level by level into the largest member, down to its rows.

        Every other breakdown, filter and figure's rows are asked of the longest period only: it is the heaviest.
        """
        product, scope = self.product.id, self.scope
        yield self._figures(top)
        yield self._query(f"trend by {step}", top, lambda s, n: s.trend(product, top, scope, n, step))
        if self.product.unload == "cells":
            yield self._query("cells page 1", top, lambda s, n: s.cells(product, top, scope, n, page_size=PAGE))
        if self.period != "month":
            for name in sorted(self.product.selectable - set(self.product.drill[0])):
                yield self._breakdown(top, name)
            for name in sorted(self.product.selectable):
                yield self._query(f"members of {name}", top, self._members(name, top))
            for measure in self.product.shown_measures:
                yield self._query(f"rows of {measure.name}", top, self._page(top, 1, measure.name))
        yield from self._rows(top)
        path = top
        while levels := self.service.next_levels(product, path):
            for level in levels:
                yield self._breakdown(path, level.name)
            path = self._down(path, levels[0].name)
            yield self._figures(path)
        yield from self._rows(path)

    def _figures(self, selection: Selection) -> Query:
        product, scope = self.product.id, self.scope
        return self._query("figures", selection, lambda s, n: s.figures(product, selection, scope, n))

    def _query(self, step: str, selection: Selection, ask: Question) -> Query:
        return Query(self.product.id, self.period, step, selection, ask)

    def _breakdown(self, selection: Selection, name: str) -> Query:
        def ask(service: QueryService, snapshot: int) -> Breakdown:
            return service.breakdown(self.product.id, selection, name, self.scope, snapshot)

        return self._query(f"by {name}", selection, ask)

    def _members(self, name: str, selection: Selection) -> Question:
        return lambda service, snapshot: service.filter_values(
            self.product.id, name, self.scope, snapshot, selection, limit=200
        )

    def _rows(self, selection: Selection) -> Iterator[Query]:
        total = self.service.rows(self.product.id, selection, self.scope, self.snapshot, page_size=1).total
        last = max(1, ceil(total / PAGE))
        yield self._query("rows page 1", selection, self._page(selection, 1, None))
        if last > 1:
            yield self._query(f"rows page {last}", selection, self._page(selection, last, None))

    def _page(self, selection: Selection, number: int, measure: str | None) -> Question:
        def ask(service: QueryService, snapshot: int) -> RowPage:
            return service.rows(
                self.product.id, selection, self.scope, snapshot, page=number, page_size=PAGE, measure=measure
            )

        return ask

    def _down(self, selection: Selection, level: str) -> Selection:
        """Into the member with the largest first measure; into the unknown where there is none."""
        first = self.product.shown_measures[0].name
        rows = self.service.breakdown(self.product.id, selection, level, self.scope, self.snapshot).rows
        largest = max(rows, key=lambda row: row.value(first) or 0, default=None)
        return selection.drill(level, largest.key if largest else "")
