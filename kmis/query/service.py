"""The query service: figures, breakdowns, trends, rows and unloads of the catalogue's products.

Every method takes the reader's scope and the published snapshot; the answers of one snapshot agree with each other:
a figure is the number of its rows, and the sum of its parts where the measure is additive.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any, TypeVar

from kmis import lake
from kmis.catalogue.loader import Catalogue, catalogue
from kmis.catalogue.models import Column, Dimension, Language, Measure, Product
from kmis.clock import Clock, SystemClock, local_date
from kmis.query import labels as names_of
from kmis.query import measures as figures_of
from kmis.query import rows as lists_of
from kmis.query.as_of import as_of
from kmis.query.cache import Answers
from kmis.query.contract import (
    Breakdown,
    BreakdownRow,
    Figures,
    Label,
    Published,
    RowPage,
    RowStream,
    Scope,
    Summary,
    SummaryLine,
    TrendPoint,
)
from kmis.query.errors import ScopeRequired, SelectionError
from kmis.query.frame import NotApplicable, NotInAggregate, key_text
from kmis.query.measures import TOTAL, Asked, Grouping, Step
from kmis.query.published import PostgresPublished, PublishedSource
from kmis.query.selection import Selection
from kmis.query.store import Attach, Limits, Store
from kmis.settings import Settings

T = TypeVar("T")
MAX_PAGE = 500


class QueryService:
    """One per process. Its methods block: call them from a worker thread. Thread safe."""

    def __init__(
        self,
        settings: Settings,
        *,
        products: Catalogue | None = None,
        clock: Clock | None = None,
        published: PublishedSource | None = None,
        attach: Attach = lake.attach,
        limits: Limits | None = None,
    ) -> None:
        self.settings = settings
        self.catalogue = products or catalogue()
        self._clock = clock or SystemClock()
        self._published = published or PostgresPublished(settings, self._clock)
        self._store = Store(settings, attach, limits or Limits())
        self._answers = Answers()

    def close(self) -> None:
        """Ends the connections to the lake and to the store."""
        self._store.close()
        if isinstance(self._published, PostgresPublished):
            self._published.close()

    # --- snapshots and selections -----------------------------------------------------------------

    def current(self) -> Published:
        """The newest published snapshot. Raises NothingPublished."""
        return self._published.current()

    def published(self, snapshot_id: int) -> Published:
        """A published snapshot by its number. Raises SnapshotUnknown."""
        return self._published.by_snapshot(snapshot_id)

    def today(self) -> date:
        """The local day of the installation."""
        return local_date(self._clock.now(), self.settings.zone)

    def default_selection(self, product_id: str) -> Selection:
        """What a product opens with: today for a board of the day, else the current month up to today."""
        today = self.today()
        first = today if self.catalogue.product(product_id).period == "day" else today.replace(day=1)
        return Selection(first, today)

    def next_levels(self, product_id: str, selection: Selection) -> tuple[Dimension, ...]:
        """What may be opened next: the dimensions of the first level below the path; empty: the rows.

        A level of two (department or site) is passed when the path names either.
        """
        product = self.catalogue.product(product_id)
        passed = {name for name, _ in selection.path}
        deepest = max((place for place, level in enumerate(product.drill) if passed & set(level)), default=-1)
        if deepest + 1 >= len(product.drill):
            return ()
        return tuple(self.catalogue.dimension(name) for name in product.drill[deepest + 1])

    # --- figures ----------------------------------------------------------------------------------

    def figures(self, product_id: str, selection: Selection, scope: Scope, snapshot: int) -> Figures:
        """The measures of the selection."""
        product = self._product(product_id, selection, scope)

        def compute() -> Figures:
            with self._asked(product, selection, scope, snapshot) as asked:
                plain = figures_of.measures_by(self._store, asked, None)[TOTAL]
            return Figures(product, snapshot, figures_of.values(product, plain, plain))

        return self._answers.get(("figures", *_question(product_id, selection, scope, snapshot)), compute)

    def breakdown(
        self, product_id: str, selection: Selection, dimension: str, scope: Scope, snapshot: int
    ) -> Breakdown:
        """One row per member of the dimension inside the selection, in the order of the directory."""
        product = self._product(product_id, selection, scope)
        if dimension not in product.selectable:
            raise SelectionError({"path": "selection.dimension_unknown"})

        def compute() -> Breakdown:
            totals = self._plain_totals(product_id, selection, scope, snapshot)
            with self._asked(product, selection, scope, snapshot) as asked:
                found = figures_of.measures_by(self._store, asked, Grouping(dimension=dimension))
                named = names_of.labels(
                    self._store, asked.tables, self.catalogue.dimension(dimension), [str(key) for key in found]
                )
            rows = tuple(
                BreakdownRow(label, figures_of.values(product, found[label.key], totals))
                for label in names_of.in_order(named.values())
            )
            return Breakdown(product, snapshot, dimension, rows)

        question = ("breakdown", dimension, *_question(product_id, selection, scope, snapshot))
        return self._answers.get(question, compute)

    def trend(
        self, product_id: str, selection: Selection, scope: Scope, snapshot: int, step: Step = "day"
    ) -> tuple[TrendPoint, ...]:
        """The measures by day, month or year; a step without rows is left out."""
        product = self._product(product_id, selection, scope)

        def compute() -> tuple[TrendPoint, ...]:
            totals = self._plain_totals(product_id, selection, scope, snapshot)
            with self._asked(product, selection, scope, snapshot) as asked:
                found = figures_of.measures_by(self._store, asked, Grouping(step=step))
            days = sorted(key for key in found if isinstance(key, date))
            return tuple(TrendPoint(day, figures_of.values(product, found[day], totals)) for day in days)

        return self._answers.get(("trend", step, *_question(product_id, selection, scope, snapshot)), compute)

    def summary(
        self, product_id: str, selection: Selection, scope: Scope, snapshot: int, dimension: str | None = None
    ) -> Summary:
        """The sheet «Свод»: the totals, then each measure by the members of the dimension.

        Without a dimension given, the first level below the path whose name the product can open.
        """
        product = self._product(product_id, selection, scope)
        total = self.figures(product_id, selection, scope, snapshot)
        lines = [SummaryLine(None, total[measure.name]) for measure in product.shown_measures]
        below = dimension or next((level.name for level in self.next_levels(product_id, selection)), None)
        if below is not None:
            for row in self.breakdown(product_id, selection, below, scope, snapshot).rows:
                lines += [SummaryLine(row.label, row.measures[measure.name]) for measure in product.shown_measures]
        return Summary(product, snapshot, below, tuple(lines))

    def _plain_totals(
        self, product_id: str, selection: Selection, scope: Scope, snapshot: int
    ) -> dict[str, int | float | None]:
        total = self.figures(product_id, selection, scope, snapshot)
        return {name: measure.value for name, measure in total.measures.items()}

    # --- names ------------------------------------------------------------------------------------

    def path_labels(self, product_id: str, selection: Selection, scope: Scope, snapshot: int) -> tuple[Label, ...]:
        """The names of the path's members, for the visible path of a page."""
        self._product(product_id, selection, scope)
        with self._store.tables(snapshot) as tables:
            return tuple(
                names_of.labels(self._store, tables, self.catalogue.dimension(name), [key])[key]
                for name, key in selection.path
            )

    def filter_labels(
        self, product_id: str, selection: Selection, scope: Scope, snapshot: int
    ) -> dict[str, tuple[Label, ...]]:
        """The names of the chosen members of each filter."""
        self._product(product_id, selection, scope)
        with self._store.tables(snapshot) as tables:
            return {
                name: names_of.in_order(
                    names_of.labels(self._store, tables, self.catalogue.dimension(name), keys).values()
                )
                for name, keys in selection.filters.items()
            }

    def filter_values(
        self,
        product_id: str,
        dimension: str,
        scope: Scope,
        snapshot: int,
        selection: Selection | None = None,
        search: str | None = None,
        limit: int = 200,
    ) -> tuple[Label, ...]:
        """The members that occur in the reader's rows of the selection (default: the product's opening one)."""
        chosen = selection or self.default_selection(product_id)
        product = self._product(product_id, chosen, scope)
        if dimension not in product.selectable:
            raise SelectionError({"f." + dimension: "selection.filter_unknown"})
        found = self._members(product, dimension, chosen, scope, snapshot)
        if search and search.strip():
            text = search.strip().lower()
            found = tuple(label for label in found if _mentions(label, text))
        return found[:limit]

    def _members(
        self, product: Product, dimension: str, selection: Selection, scope: Scope, snapshot: int
    ) -> tuple[Label, ...]:
        """Members by the distinct keys of the main source, the dimension's own filter set aside."""
        free = selection.filtered(dimension)

        def compute() -> tuple[Label, ...]:
            with self._asked(product, free, scope, snapshot) as asked:
                keys = self._distinct(asked, dimension)
                named = names_of.labels(self._store, asked.tables, self.catalogue.dimension(dimension), keys)
            return names_of.in_order(named.values())

        return self._answers.get(("members", dimension, *_question(product.id, free, scope, snapshot)), compute)

    def _distinct(self, asked: Asked, dimension: str) -> list[str]:
        for frame in asked.frames(asked.product.main):
            try:
                key = frame.dimension(dimension)
                conditions = frame.conditions()
            except NotInAggregate:
                continue
            except NotApplicable:
                return []
            parts = ["SELECT DISTINCT", key, frame.from_clause(), "WHERE", " AND ".join(conditions)]
            return [key_text(row[0]) for row in self._store.fetch(" ".join(parts), frame.parameters)]
        return []

    # --- rows -------------------------------------------------------------------------------------

    def rows(
        self,
        product_id: str,
        selection: Selection,
        scope: Scope,
        snapshot: int,
        language: Language = "ru",
        page: int = 1,
        page_size: int = 50,
        sort: str | None = None,
        descending: bool = False,
        search: str | None = None,
        measure: str | None = None,
    ) -> RowPage:
        """A page of the rows behind the selection, or behind one measure of it. Never cached."""
        product = self._product(product_id, selection, scope)
        size, number = max(1, min(page_size, MAX_PAGE)), max(1, page)
        wanted = lists_of.ListAsked(
            language, self._behind(product, measure), sort, descending, search, size, (number - 1) * size
        )
        with self._asked(product, selection, scope, snapshot) as asked:
            total = self._counted(asked, replace(wanted, search=None), snapshot)
            found = self._count(lists_of.row_count(asked, wanted)) if search and search.strip() else total
            listed = self._page(asked, wanted)
        columns = lists_of.source_of(asked, wanted.measure).columns
        return RowPage(columns, tuple(listed), total, found, number, size)

    def cells(
        self,
        product_id: str,
        selection: Selection,
        scope: Scope,
        snapshot: int,
        language: Language = "ru",
        page: int = 1,
        page_size: int = 50,
    ) -> RowPage:
        """A page of the aggregated unload of a product that is unloaded by cells."""
        product = self._product(product_id, selection, scope)
        size, number = max(1, min(page_size, MAX_PAGE)), max(1, page)
        wanted = lists_of.ListAsked(language, limit=size, offset=(number - 1) * size)
        with self._asked(product, selection, scope, snapshot) as asked:
            total = self._count(lists_of.cell_count(asked))
            statement = lists_of.cell_list(asked, wanted)
            listed = self._store.fetch(statement.sql, statement.parameters)
        return RowPage(product.cell_columns, tuple(listed), total, total, number, size)

    @contextmanager
    def row_batches(
        self,
        product_id: str,
        selection: Selection,
        scope: Scope,
        snapshot: int,
        language: Language = "ru",
        measure: str | None = None,
        batch_rows: int = 10_000,
    ) -> Iterator[RowStream]:
        """The whole unload of the selection as record batches, in constant memory.

        Cells where the product is unloaded by cells and no measure is named; rows otherwise.
        """
        product = self._product(product_id, selection, scope)
        wanted = lists_of.ListAsked(language, self._behind(product, measure))
        with self._asked(product, selection, scope, snapshot) as asked:
            if product.unload == "cells" and wanted.measure is None:
                total = self._count(lists_of.cell_count(asked))
                statement, columns = lists_of.cell_list(asked, wanted), product.cell_columns
            else:
                total = self._counted(asked, wanted, snapshot)
                statement = lists_of.row_list(asked, wanted)
                columns = lists_of.source_of(asked, wanted.measure).columns
            with self._store.batches(statement.sql, statement.parameters, batch_rows) as reader:
                yield RowStream(columns, reader.schema, total, iter(reader))

    def columns(self, product_id: str, measure: str | None = None) -> tuple[Column, ...]:
        """The columns of the product's row list, or of the list behind a measure."""
        product = self.catalogue.product(product_id)
        behind = self._behind(product, measure)
        return product.source(behind.source if behind else None).columns

    def _page(self, asked: Asked, wanted: lists_of.ListAsked) -> list[tuple[Any, ...]]:
        keys = lists_of.row_keys(asked, wanted)
        found = [row[0] for row in self._store.fetch(keys.sql, keys.parameters)]
        if not found:
            return []
        statement = lists_of.row_list(asked, replace(wanted, search=None), found)
        return self._store.fetch(statement.sql, statement.parameters)

    def _counted(self, asked: Asked, wanted: lists_of.ListAsked, snapshot: int) -> int:
        behind = wanted.measure.name if wanted.measure else ""
        question = ("count", behind, *_question(asked.product.id, asked.selection, asked.scope, snapshot))
        return self._answers.get(question, lambda: self._count(lists_of.row_count(asked, wanted)))

    def _count(self, statement: lists_of.Statement) -> int:
        return int(self._store.fetch(statement.sql, statement.parameters)[0][0])

    @staticmethod
    def _behind(product: Product, name: str | None) -> Measure | None:
        """The measure whose rows are meant: the numerator of a ratio."""
        if name is None:
            return None
        try:
            measure = product.measure(name)
        except KeyError:
            raise SelectionError({"measure": "selection.measure_unknown"}) from None
        return product.measure(measure.numerator) if measure.derived and measure.numerator else measure

    # --- what every question needs ----------------------------------------------------------------

    def _product(self, product_id: str, selection: Selection, scope: Scope) -> Product:
        """The product, when the scope and the selection allow the question."""
        if not isinstance(scope, Scope) or not scope.organisation_ids:
            raise ScopeRequired
        product = self.catalogue.product(product_id)
        selection.checked(product, self.catalogue.dimensions)
        return product

    @contextmanager
    def _asked(self, product: Product, selection: Selection, scope: Scope, snapshot: int) -> Iterator[Asked]:
        published = self.published(snapshot)
        told = as_of(published, selection.period_to, self.settings.zone)
        with self._store.tables(snapshot) as tables:
            yield Asked(
                self.catalogue, product, selection, scope, tables, published.published_at, told, self.settings.timezone
            )  # fmt: skip


def _mentions(label: Label, text: str) -> bool:
    return any(text in part.lower() for part in (label.kk, label.ru, label.key))


def _question(product_id: str, selection: Selection, scope: Scope, snapshot: int) -> tuple[Hashable, ...]:
    return product_id, selection.identity, scope.organisation_ids, snapshot
