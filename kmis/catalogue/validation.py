"""The faults of a catalogue that one entry cannot show: names that lead nowhere, double headers, lineage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from kmis.catalogue.models import (
    LANGUAGES,
    PERSON_MAP,
    AgeAtEnd,
    Column,
    Dimension,
    Fact,
    Measure,
    Product,
    Reference,
    Source,
)


def faults(
    products: Iterable[Product],
    facts: Mapping[str, Fact],
    dimensions: Mapping[str, Dimension],
    lineage: Mapping[str, frozenset[str]],
) -> Iterator[str]:
    """Each fault as one line that starts with the product's id or the fact's name."""
    for fact in facts.values():
        yield from _fact_faults(fact, dimensions)
    listed = list(products)
    for product_id, times in Counter(product.id for product in listed).items():
        if times > 1:
            yield f"{product_id}: the id stands {times} times"
    for product in listed:
        yield from (f"{product.id}: {fault}" for fault in _product_faults(product, facts, dimensions))
        missing = tables_of(product, facts, dimensions) - lineage.get(product.id, frozenset())
        if missing:
            yield f"{product.id}: depends_on lacks {', '.join(sorted(missing))}"


def _fact_faults(fact: Fact, dimensions: Mapping[str, Dimension]) -> Iterator[str]:
    for name, reference in fact.dimensions.items():
        if name not in dimensions:
            yield f"fact {fact.name}: unknown dimension {name}"
        elif isinstance(reference, AgeAtEnd) and not _has_limits(dimensions[name]):
            yield f"fact {fact.name}: dimension {name} has no limits of age"
    for reference in _references(fact):
        if not _known(reference, fact):
            yield f"fact {fact.name}: {reference} names an unknown join"
    for name, value in fact.elapsed.items():
        if {value.since, value.until} & set(fact.elapsed):
            yield f"fact {fact.name}: {name} is computed out of another computed value"
    if fact.period in ("at_end", "during") and fact.until is None:
        yield f"fact {fact.name}: a fact of validity needs its column until"


def _has_limits(dimension: Dimension) -> bool:
    directory = dimension.directory
    return directory is not None and directory.age_from is not None and directory.age_to is not None


def _references(fact: Fact) -> Iterator[str]:
    for reference in fact.dimensions.values():
        if isinstance(reference, AgeAtEnd):
            yield reference.birth_date
        else:
            yield reference
    yield from fact.fields.values()
    for join in fact.joins.values():
        yield from join.keys.values()


def _known(reference: Reference, fact: Fact) -> bool:
    join, dot, _ = reference.partition(".")
    return not dot or join in fact.joins


def _product_faults(product: Product, facts: Mapping[str, Fact], dimensions: Mapping[str, Dimension]) -> Iterator[str]:
    if product.valid_to is not None and product.valid_to <= product.valid_from:
        yield "valid_to is not after valid_from"
    for name in sorted((product.selectable | set(product.structure) | set(product.cell_dimensions)) - set(dimensions)):
        yield f"unknown dimension {name}"
    for name in sorted({*product.structure, *product.cell_dimensions} - product.selectable):
        yield f"dimension {name} is shown but cannot be selected"
    if (product.unload == "cells") != bool(product.cell_dimensions):
        yield "an unload of cells, and only it, needs cell_dimensions"
    source_names = [source.name for source in product.sources]
    if len(set(source_names)) != len(source_names):
        yield "two sources have one name"
    for source in product.sources:
        if source.fact not in facts:
            yield f"unknown fact {source.fact}"
            continue
        yield from _source_faults(product, source, facts[source.fact])
    yield from _measure_faults(product, facts)
    yield from _header_faults("row list", product.columns)
    yield from _header_faults("unload", product.cell_columns)
    if facts.keys() >= {source.fact for source in product.sources}:
        main = facts[product.main.fact]
        for name in sorted(product.selectable - set(main.dimensions)):
            yield f"the main fact {main.name} has no dimension {name}"


def _source_faults(product: Product, source: Source, fact: Fact) -> Iterator[str]:
    measures = {measure.name for measure in product.measures}
    for column in source.columns:
        if column.dimension is not None and column.dimension not in fact.dimensions:
            yield f"column {column.name}: fact {fact.name} has no dimension {column.dimension}"
        if column.measure is not None and column.measure not in measures:
            yield f"column {column.name}: unknown measure {column.measure}"
        if column.field is not None and "." not in column.field and column.field not in fact.fields:
            yield f"column {column.name}: fact {fact.name} has no field {column.field}"
    names = {column.name for column in source.columns}
    for name in source.sort:
        if name not in names:
            yield f"sort: the list {source.name} has no column {name}"


def _measure_faults(product: Product, facts: Mapping[str, Fact]) -> Iterator[str]:
    by_name = {measure.name: measure for measure in product.measures}
    if len(by_name) != len(product.measures):
        yield "two measures have one name"
    sources = {source.name: source for source in product.sources}
    for measure in product.measures:
        if measure.source is not None and measure.source not in sources:
            yield f"measure {measure.name}: unknown source {measure.source}"
            continue
        if not (measure.hidden or measure.derived or product.source(measure.source).columns):
            yield f"measure {measure.name}: the list of its rows has no column"
        fact = facts.get(product.source(measure.source).fact)
        if measure.kind == "persons" and fact is not None and fact.person is None:
            yield f"measure {measure.name}: fact {fact.name} names no person"
        if measure.kind in ("days", "daily_mean") and fact is not None and fact.period != "during":
            yield f"measure {measure.name}: the rows of fact {fact.name} do not last"
        for part in (measure.numerator, measure.denominator):
            if part is not None and not _may_be_part(part, measure, product):
                yield f"measure {measure.name}: {part} is not a plain measure or a difference above it"
    for column in product.cell_columns:
        if column.dimension is not None and column.dimension not in product.cell_dimensions:
            yield f"column {column.name}: cells are not kept by {column.dimension}"
        if column.measure is not None and not (column.measure in by_name and by_name[column.measure].additive):
            yield f"column {column.name}: a cell holds additive measures only"
        if column.field is not None:
            yield f"column {column.name}: a cell has no fields"


def _may_be_part(name: str, measure: Measure, product: Product) -> bool:
    """Plain measures may be divided and subtracted; a difference too, when it stands before what is made of it."""
    for earlier in product.measures:
        if earlier.name == name and not earlier.derived:
            return True
        if earlier is measure:
            break
        if earlier.name == name:
            return earlier.kind == "difference" and measure.kind == "ratio"
    return any(other.name == name and not other.derived for other in product.measures)


def _header_faults(where: str, columns: tuple[Column, ...]) -> Iterator[str]:
    for language in LANGUAGES:
        for header, times in Counter(column.titles.text(language) for column in columns).items():
            if times > 1:
                yield f"{where}: header {header!r} ({language}) stands {times} times"
            if "\n" in header:
                yield f"{where}: header {header!r} ({language}) has a line break"


def tables_of(product: Product, facts: Mapping[str, Fact], dimensions: Mapping[str, Dimension]) -> frozenset[str]:
    """The marts that the product's figures, names and rows are read from."""
    tables: set[str] = set()
    names = set(product.selectable)
    for source in product.sources:
        fact = facts.get(source.fact)
        if fact is None:
            continue
        tables.add(fact.table)
        tables |= {aggregate.table for aggregate in fact.aggregates}
        names |= {column.dimension for column in source.columns if column.dimension is not None}
        used = {column.field for column in source.columns if column.field}
        references = {fact.fields.get(field, field) for field in used}
        references |= {
            reference
            for name, reference in fact.dimensions.items()
            if name in names and not isinstance(reference, AgeAtEnd)
        }
        prefixes = {reference.partition(".")[0] for reference in references if "." in reference}
        tables |= {join.table for name, join in fact.joins.items() if name in prefixes}
        if any(measure.kind == "persons" for measure in product.measures) and fact.person:
            tables.add(PERSON_MAP)
    for name in names:
        dimension = dimensions.get(name)
        if dimension is not None and dimension.directory is not None:
            tables.add(dimension.directory.table)
    return frozenset(tables)
