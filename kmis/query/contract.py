"""What callers of the query service pass and get back: scope, selection, snapshot, figures, rows.

Nothing here touches a database. Sources: the product catalogue (``kmis.catalogue``) names dimensions and measures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

import pyarrow as pa

from kmis.catalogue.models import Column, Language, Measure, Product

Attention = Literal["none", "attention", "critical"]
Cell = str | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Who asks and whose rows may be seen. Organisation ids are the operational ``organisation.id``.

    A manager of a region carries the ids of all organisations of the region.
    ``show_identifiers`` opens IIN, names, phone and birth date in row lists.
    """

    user_id: int
    organisation_ids: frozenset[int]
    show_identifiers: bool = False


@dataclass(frozen=True, slots=True)
class Published:
    """One published snapshot of the lake. ``age_seconds`` is counted from ``published_at`` at the moment of reading."""

    snapshot_id: int
    watermark: int
    event_at: datetime | None
    published_at: datetime
    age_seconds: float
    state: str
    reconciliation: Mapping[str, object] = field(default_factory=dict)
    serve_file: str | None = None

    @property
    def reconciliation_state(self) -> str:
        """``ok``, ``different`` or ``unknown``: of this snapshot, or of the last one before it that was reconciled."""
        if self.state in ("ok", "different"):
            return self.state
        return str(self.reconciliation.get("state", "unknown"))

    @property
    def reconciled(self) -> bool:
        """True when the newest reconciliation found no difference."""
        return self.reconciliation_state == "ok"


@dataclass(frozen=True, slots=True)
class Label:
    """The name of one member of a dimension.

    ``key`` is what goes into a selection's path or filter (``""`` means "unknown"). ``kazakh_missing`` is true when
    the directory has no Kazakh edition of the name: ``kk`` then repeats the Russian one and a page marks it.
    """

    key: str
    kk: str
    ru: str
    kazakh_missing: bool = False
    sort: str = ""

    def text(self, language: Language) -> str:
        """The name in the language, without the mark."""
        return self.kk if language == "kk" else self.ru

    def marked(self, language: Language) -> str:
        """The name in the language, with `` *`` where a Kazakh edition is missing."""
        return f"{self.kk} *" if language == "kk" and self.kazakh_missing else self.text(language)


@dataclass(frozen=True, slots=True)
class MeasureValue:
    """One measure of one selection.

    ``value`` is None when it is unknown or does not apply (a ratio over nothing, a dimension that the measure's
    source does not have). Ratios keep what they were made of in ``numerator`` and ``denominator``.
    """

    measure: Measure
    value: float | int | None
    numerator: float | int | None = None
    denominator: float | int | None = None
    attention: Attention = "none"

    @property
    def name(self) -> str:
        """The measure's name in the catalogue."""
        return self.measure.name


@dataclass(frozen=True, slots=True)
class Figures:
    """The measures of a selection, in the catalogue's order, keyed by measure name."""

    product: Product
    snapshot_id: int
    measures: Mapping[str, MeasureValue]

    def __getitem__(self, name: str) -> MeasureValue:
        return self.measures[name]

    def value(self, name: str) -> float | int | None:
        """The value of a measure."""
        return self.measures[name].value


@dataclass(frozen=True, slots=True)
class BreakdownRow:
    """One member of the next level with its measures."""

    label: Label
    measures: Mapping[str, MeasureValue]

    @property
    def key(self) -> str:
        """The member's key, ready for ``Selection.drill``."""
        return self.label.key

    def value(self, name: str) -> float | int | None:
        """The value of a measure."""
        return self.measures[name].value


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One row per member of ``dimension`` inside the selection."""

    product: Product
    snapshot_id: int
    dimension: str
    rows: tuple[BreakdownRow, ...]


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The measures of one day, month or year (``start`` is its first day)."""

    start: date
    measures: Mapping[str, MeasureValue]

    def value(self, name: str) -> float | int | None:
        """The value of a measure."""
        return self.measures[name].value


@dataclass(frozen=True, slots=True)
class RowPage:
    """A page of a row list. ``rows`` hold one cell per column, in the order of ``columns``.

    ``total`` counts all rows of the list before a search, ``found`` those that the search keeps.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: int
    found: int
    page: int
    page_size: int


@dataclass(frozen=True, slots=True)
class RowStream:
    """All rows of a selection for an unload, in record batches whose columns follow ``columns``.

    Iterate ``batches`` inside the ``with`` of ``QueryService.row_batches``; memory stays constant.
    """

    columns: tuple[Column, ...]
    schema: pa.Schema
    total: int
    batches: Iterator[pa.RecordBatch]


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """One line of the sheet «Свод»: a measure of one member (``label`` is None on the total lines)."""

    label: Label | None
    measure: MeasureValue


@dataclass(frozen=True, slots=True)
class Summary:
    """Totals and ratios of a selection, in total and by the members of ``dimension``."""

    product: Product
    snapshot_id: int
    dimension: str | None
    lines: tuple[SummaryLine, ...]
