"""Computes the measures of a selection, in total or for each member of a dimension or step of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from kmis.catalogue.loader import Catalogue
from kmis.catalogue.models import Measure, Product, Source
from kmis.query.as_of import AsOf
from kmis.query.contract import Attention, MeasureValue, Scope
from kmis.query.frame import Frame, NotApplicable, NotInAggregate, key_text
from kmis.query.selection import Selection
from kmis.query.store import Store, Tables, quoted

Step = Literal["day", "month", "year"]
Number = int | float | None
Key = str | date
TOTAL = ""
UNKNOWN_WITHOUT_ROWS = ("minimum_days", "median")


@dataclass(frozen=True)
class Asked:
    """A question: product, selection, scope and the snapshot that answers."""

    catalogue: Catalogue
    product: Product
    selection: Selection
    scope: Scope
    tables: Tables
    snapshot_at: Any
    as_of: AsOf
    zone: str

    def frames(self, source: Source, persons: bool = False) -> Iterator[Frame]:
        """Frames of a source to try in turn: its aggregates that the snapshot holds, then the fact itself."""
        fact = self.catalogue.facts[source.fact]
        for aggregate in (*fact.aggregates, None):
            if aggregate is not None and not self.tables.has(aggregate.table):
                continue
            if aggregate is not None and persons and aggregate.persons is None:
                continue
            yield Frame(
                self.catalogue, self.product, source, self.selection, self.scope, self.tables,
                self.snapshot_at, self.as_of, self.zone, aggregate, persons and aggregate is not None,
            )  # fmt: skip


@dataclass(frozen=True)
class Grouping:
    """By what the measures are split: a dimension or a step of time."""

    dimension: str | None = None
    step: Step | None = None

    def expression(self, frame: Frame) -> str:
        """The key to group by. Raises NotApplicable."""
        if self.dimension is not None:
            return frame.dimension(self.dimension)
        if frame.fact.period == "during":
            return frame.split(self.step or "day")
        if frame.fact.period != "within":
            raise NotApplicable
        return f"date_trunc('{self.step}', {frame.event_date()})"

    def ignored_by(self, frame: Frame) -> bool:
        """True when the source gives one value for all members."""
        if self.step is not None:
            return frame.fact.period == "at_end"
        return self.dimension in frame.source.ignores


def measures_by(store: Store, asked: Asked, grouping: Grouping | None) -> dict[Key, dict[str, Number]]:
    """Plain measures by key; ``TOTAL`` is the only key without a grouping."""
    results: list[tuple[list[Measure], dict[Key, dict[str, Number]] | None, bool]] = []
    for source in asked.product.sources:
        own = [m for m in asked.product.measures if not m.derived and asked.product.source(m.source) is source]
        for persons in (False, True):
            wanted = [measure for measure in own if (measure.kind == "persons") == persons]
            if wanted:
                found, broadcast = _of_source(store, asked, source, wanted, grouping, persons)
                results.append((wanted, found, broadcast))
    keys: set[Key] = {TOTAL} if grouping is None else set()
    for _, found, broadcast in results:
        if found is not None and not broadcast:
            keys |= found.keys()
    merged: dict[Key, dict[str, Number]] = {key: {} for key in keys}
    for wanted, found, broadcast in results:
        for key in keys:
            values = None if found is None else found.get(TOTAL if broadcast else key)
            for measure in wanted:
                merged[key][measure.name] = _absent(measure, found) if values is None else values[measure.name]
    return merged


def _absent(measure: Measure, found: Mapping[Key, object] | None) -> Number:
    """What a member without rows has: nothing counted is 0, a question that does not apply is unknown."""
    return None if found is None or measure.kind in UNKNOWN_WITHOUT_ROWS else 0


def _of_source(
    store: Store, asked: Asked, source: Source, wanted: list[Measure], grouping: Grouping | None, persons: bool
) -> tuple[dict[Key, dict[str, Number]] | None, bool]:
    """The measures by key, and whether the one value stands for all keys. None: not applicable."""
    for frame in asked.frames(source, persons):
        try:
            return _run(store, frame, wanted, grouping)
        except NotInAggregate:
            continue
        except NotApplicable:
            return None, False
    raise AssertionError("the fact itself has every column of its catalogue entry")


def _run(
    store: Store, frame: Frame, wanted: list[Measure], grouping: Grouping | None
) -> tuple[dict[Key, dict[str, Number]], bool]:
    broadcast = grouping is not None and grouping.ignored_by(frame)
    # the key first: a step of time decides which days the measures of a lasting fact count
    key = None if grouping is None or broadcast else grouping.expression(frame)
    columns = [expression(frame, measure) for measure in wanted]
    conditions = frame.conditions()
    selected = columns if key is None else [f"{key} AS k", *columns]
    parts = ["SELECT", ", ".join(selected), frame.from_clause(), "WHERE", " AND ".join(conditions)]
    if key is not None:
        parts.append("GROUP BY ALL")
    found: dict[Key, dict[str, Number]] = {}
    for row in store.fetch(" ".join(parts), frame.parameters):
        cells = row if key is None else row[1:]
        found[_key(None if key is None else row[0], grouping, key)] = {
            measure.name: _number(cell, measure) for measure, cell in zip(wanted, cells, strict=True)
        }
    return found, broadcast


def _key(value: object, grouping: Grouping | None, key: str | None) -> Key:
    if key is None or grouping is None:
        return TOTAL
    if grouping.step is not None and isinstance(value, date):
        return date(value.year, value.month, value.day)
    return key_text(value)


def _number(value: object, measure: Measure) -> Number:
    if value is None:
        return None if measure.kind in UNKNOWN_WITHOUT_ROWS else 0
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value if isinstance(value, int | float) else float(str(value))


def expression(frame: Frame, measure: Measure) -> str:
    """The measure as an SQL aggregate over the frame's rows (facts or cells)."""
    conditions = [frame.condition(condition) for condition in measure.where]
    only = f" FILTER (WHERE {' AND '.join(conditions)})" if conditions else ""
    if measure.kind == "count":
        if frame.aggregate is None:
            return "count(*)" + only
        return f"coalesce(sum(f.{quoted(frame.aggregate.count)}){only}, 0)"
    if measure.kind == "persons":
        return f"count(DISTINCT {frame.person()})" + only
    if measure.kind in ("days", "daily_mean"):
        added = f"coalesce(sum({days_of_row(frame, measure)}){only}, 0)"
        return added if measure.kind == "days" else f"{added} / {frame.day_count()}"
    column = measure.column or ""
    if measure.kind == "median":
        return f"median({frame.reference(column)})" + only
    if measure.kind == "sum":
        return f"coalesce(sum({frame.summand(column)}){only}, 0)"
    if measure.kind == "distinct":
        return f"count(DISTINCT {frame.reference(column)})" + only
    end = f"CAST({frame.bind(frame.selection.period_to)} AS DATE)"
    return f"date_diff('day', {end}, min({frame.reference(column)}){only})"


def days_of_row(frame: Frame, measure: Measure) -> str:
    """The days that one row adds: those of the period on which it holds, times its column."""
    weight = f" * {frame.reference(measure.column)}" if measure.column else ""
    return frame.days() + weight


def values(product: Product, plain: Mapping[str, Number], totals: Mapping[str, Number]) -> dict[str, MeasureValue]:
    """All measures in the catalogue's order, differences, ratios and shares computed out of the plain ones."""
    found: dict[str, MeasureValue] = {}
    known: dict[str, Number] = dict(plain)
    for measure in product.measures:
        if measure.derived:
            share = measure.kind == "share"
            numerator = known.get(measure.numerator or "")
            below = totals.get(measure.numerator or "") if share else known.get(measure.denominator or "")
            if measure.kind == "difference":
                value = None if numerator is None or below is None else numerator - below
                known[measure.name] = value
            else:
                value = None if numerator is None or not below else numerator / below * measure.factor
            found[measure.name] = MeasureValue(measure, value, numerator, below, attention(measure, value))
        else:
            value = plain[measure.name]
            found[measure.name] = MeasureValue(measure, value, attention=attention(measure, value))
    return found


def attention(measure: Measure, value: Number) -> Attention:
    """Whether a value needs attention by the measure's limits."""
    limits = measure.threshold
    if limits is None or value is None:
        return "none"
    if _beyond(value, limits.critical_from, limits.critical_to):
        return "critical"
    return "attention" if _beyond(value, limits.attention_from, limits.attention_to) else "none"


def _beyond(value: float, at_least: float | None, at_most: float | None) -> bool:
    return (at_least is not None and value >= at_least) or (at_most is not None and value <= at_most)


def by_name(measures: Iterable[MeasureValue]) -> dict[str, MeasureValue]:
    """Measures keyed by their names."""
    return {measure.name: measure for measure in measures}
