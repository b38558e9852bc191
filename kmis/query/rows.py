"""Statements of row lists and of unloads: the rows behind a figure, and the cells of an aggregated unload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kmis import names
from kmis.catalogue.models import Column, Language, Measure, Source
from kmis.query.frame import Frame, NotInAggregate
from kmis.query.labels import name_expression, newest
from kmis.query.measures import Asked, days_of_row, expression
from kmis.query.store import quoted

_SQL_TYPES = {
    "text": "VARCHAR", "code": "VARCHAR", "date": "DATE", "datetime": "TIMESTAMP", "time": "TIME",
    "integer": "BIGINT", "number": "DOUBLE", "money": "DOUBLE", "flag": "BIGINT",
}  # fmt: skip
SEARCHED_TYPES = ("text", "code")


@dataclass(frozen=True)
class Statement:
    """An SQL text with its bound values."""

    sql: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class ListAsked:
    """How a row list is wanted. ``measure`` keeps the rows behind one figure."""

    language: Language
    measure: Measure | None = None
    sort: str | None = None
    descending: bool = False
    search: str | None = None
    limit: int | None = None
    offset: int = 0


def source_of(asked: Asked, measure: Measure | None) -> Source:
    """The source whose rows are listed."""
    return asked.product.source(measure.source if measure else None)


def row_keys(asked: Asked, wanted: ListAsked) -> Statement:
    """The keys of one page of the list, so that names and identifiers are joined to that page's rows only."""
    frame = _fact_frame(asked, wanted.measure)
    conditions = _conditions(frame, asked, wanted)
    order = _order(frame, asked, wanted)
    parts = [f"SELECT f.{quoted(frame.fact.key)}", frame.from_clause(), "WHERE", " AND ".join(conditions)]
    parts += ["ORDER BY", ", ".join(order)]
    if wanted.limit is not None:
        parts.append(f"LIMIT {int(wanted.limit)} OFFSET {int(wanted.offset)}")
    return Statement(" ".join(parts), frame.parameters)


def row_list(asked: Asked, wanted: ListAsked, keys: Sequence[object] | None = None) -> Statement:
    """The rows of a source with the columns of the catalogue; with ``keys``, those of them that have the keys."""
    frame = _fact_frame(asked, wanted.measure)
    selected = [
        f"{_typed(column, _cell(frame, column, wanted.language, asked))} AS {quoted(column.name)}"
        for column in frame.source.columns
    ]
    conditions = _conditions(frame, asked, wanted)
    if keys is not None:
        conditions.append(f"f.{quoted(frame.fact.key)} IN {frame.bind_all(keys)}")
    order = _order(frame, asked, wanted)
    parts = ["SELECT", ", ".join(selected), frame.from_clause(), "WHERE", " AND ".join(conditions)]
    parts += ["ORDER BY", ", ".join(order)]
    return Statement(" ".join(parts), frame.parameters)


def row_count(asked: Asked, wanted: ListAsked) -> Statement:
    """How many rows the list has."""
    frame = _fact_frame(asked, wanted.measure)
    conditions = _conditions(frame, asked, wanted)
    parts = ["SELECT count(*)", frame.from_clause(), "WHERE", " AND ".join(conditions)]
    return Statement(" ".join(parts), frame.parameters)


def cell_list(asked: Asked, wanted: ListAsked) -> Statement:
    """The cells of an aggregated unload: one row per combination of the product's cell dimensions."""
    frame, inner = _cells(asked)
    selected: list[str] = []
    joins: list[str] = []
    for column in asked.product.cell_columns:
        if column.measure is not None:
            cell = f"cells.{quoted('m_' + column.measure)}"
        else:
            cell = _cell_name(frame, column, wanted.language, joins)
        selected.append(f"{_typed(column, cell)} AS {quoted(column.name)}")
    order = [f"cells.{quoted('k_' + name)}" for name in asked.product.cell_dimensions]
    parts = ["SELECT", ", ".join(selected), "FROM", inner, "AS cells", *joins, "ORDER BY"]
    parts.append(", ".join(f"{part} NULLS LAST" for part in order))
    if wanted.limit is not None:
        parts.append(f"LIMIT {int(wanted.limit)} OFFSET {int(wanted.offset)}")
    return Statement(" ".join(parts), frame.parameters)


def cell_count(asked: Asked) -> Statement:
    """How many cells the unload has."""
    frame, inner = _cells(asked)
    return Statement(" ".join(("SELECT count(*) FROM", inner, "AS cells")), frame.parameters)


def _cells(asked: Asked) -> tuple[Frame, str]:
    measures = [asked.product.measure(c.measure) for c in asked.product.cell_columns if c.measure is not None]
    for frame in asked.frames(asked.product.main):
        try:
            keys = [f"{frame.dimension(name)} AS {quoted('k_' + name)}" for name in asked.product.cell_dimensions]
            sums = [f"{expression(frame, measure)} AS {quoted('m_' + measure.name)}" for measure in measures]
            conditions = frame.conditions()
        except NotInAggregate:
            continue
        filled = " OR ".join(f"{quoted('m_' + measure.name)} <> 0" for measure in measures)
        parts = ["(SELECT", ", ".join(keys + sums), frame.from_clause(), "WHERE", " AND ".join(conditions)]
        parts += ["GROUP BY ALL HAVING", filled, ")"]
        return frame, " ".join(parts)
    raise AssertionError("the fact itself has every column of its catalogue entry")


def _cell_name(frame: Frame, column: Column, language: Language, joins: list[str]) -> str:
    name = column.dimension or ""
    dimension = frame.catalogue.dimension(name)
    key = f"cells.{quoted('k_' + name)}"
    if column.part == "key" or dimension.codes_only:
        return key
    if dimension.directory is None:
        return _from_values(frame, name, key, language)
    alias = quoted(f"n_{name}")
    if not any(f" AS {alias} ON " in join for join in joins):
        members = newest(frame.tables, dimension.directory, frame.bind)
        joins.append(f"LEFT JOIN {members} AS {alias} ON {alias}.key = {key}")
    if column.part == "code":
        return f"{alias}.code"
    return name_expression(f"{alias}.kk", f"{alias}.ru", language, dimension.directory.person)


def _fact_frame(asked: Asked, measure: Measure | None) -> Frame:
    """The frame over the fact itself: rows are never read from cells."""
    *_, frame = asked.frames(source_of(asked, measure))
    return frame


def _conditions(frame: Frame, asked: Asked, wanted: ListAsked) -> list[str]:
    conditions = frame.conditions()
    if wanted.measure is not None:
        conditions += [frame.condition(condition) for condition in wanted.measure.where]
        if wanted.measure.kind == "sum":
            conditions.append(f"{frame.reference(wanted.measure.column or '')} <> 0")
        if wanted.measure.kind in ("days", "daily_mean"):
            conditions.append(f"{days_of_row(frame, wanted.measure)} <> 0")
    if wanted.search and wanted.search.strip():
        conditions.append(_search(frame, asked, wanted.search.strip(), wanted.language))
    return conditions


def _search(frame: Frame, asked: Asked, text: str, language: Language) -> str:
    place = frame.bind(text.lower())
    found: list[str] = []
    for column in frame.source.columns:
        hidden = column.identifier and not asked.scope.show_identifiers
        # names of directories are chosen by filters; searching them would join every directory to every row
        directory_name = column.dimension is not None and column.part != "key"
        if column.type not in SEARCHED_TYPES or column.measure or hidden or directory_name:
            continue
        if column.search_field is not None:
            stored = frame.reference(frame.fact.fields.get(column.search_field, column.search_field))
            found += _name_search(frame, stored, text)
            continue
        cell = _cell(frame, column, language, asked)
        found.append(f"contains(lower(CAST({cell} AS VARCHAR)), {place})")
    return "(" + " OR ".join(found) + ")" if found else "false"


def _name_search(frame: Frame, stored: str, text: str) -> list[str]:
    """A typed name in either keyboard layout against the stored name key."""
    found: list[str] = []
    for tier in names.read_query(text):
        for reading in tier.readings:
            patterns = [f"{stored} LIKE {frame.bind(pattern)}" for pattern in reading.like_patterns()]
            found.append("(" + " AND ".join(patterns) + ")")
    return found


def _order(frame: Frame, asked: Asked, wanted: ListAsked) -> list[str]:
    by_name = {column.name: column for column in frame.source.columns}
    direction = "DESC" if wanted.descending else "ASC"
    order: list[str] = []
    chosen = [wanted.sort] if wanted.sort in by_name else list(frame.source.sort)
    for name in chosen:
        column = by_name[name or ""]
        if column.identifier and not asked.scope.show_identifiers:
            continue
        way = direction if wanted.sort in by_name else "ASC"
        order.append(f"{_sort_cell(frame, column, wanted.language, asked)} {way} NULLS LAST")
    return [*order, f"f.{quoted(frame.fact.key)} ASC"]


def _sort_cell(frame: Frame, column: Column, language: Language, asked: Asked) -> str:
    if column.sort_field is not None:
        return frame.reference(frame.fact.fields.get(column.sort_field, column.sort_field))
    if column.dimension is not None and column.part == "name":
        dimension = frame.catalogue.dimension(column.dimension)
        if dimension.directory is not None:
            alias = frame.directory(column.dimension, dimension, dimension.directory)
            return f"{alias}.{quoted(dimension.directory.sort)}"
    if column.field is not None:
        return frame.reference(frame.fact.fields.get(column.field, column.field))
    return _cell(frame, column, language, asked)


def _cell(frame: Frame, column: Column, language: Language, asked: Asked) -> str:
    if column.identifier and not asked.scope.show_identifiers:
        return "NULL"
    if column.field is not None:
        stored = frame.reference(frame.fact.fields.get(column.field, column.field))
        return frame.local(stored) if column.type in ("datetime", "time") else stored
    if column.measure is not None:
        return _measure_of_row(frame, asked.product.measure(column.measure))
    name = column.dimension or ""
    dimension = frame.catalogue.dimension(name)
    if column.part == "key" or dimension.codes_only or (column.part == "code" and dimension.directory is None):
        return frame.dimension(name)
    if dimension.directory is None:
        return _from_values(frame, name, frame.dimension(name), language)
    directory = dimension.directory
    alias = frame.directory(name, dimension, directory)
    if column.part == "code":
        return f"{alias}.{quoted(directory.code or directory.key)}"
    kk, ru = f"{alias}.{quoted(directory.name_kk)}", f"{alias}.{quoted(directory.name_ru)}"
    return name_expression(kk, ru, language, directory.person)


def _measure_of_row(frame: Frame, measure: Measure) -> str:
    """What one row adds to an additive measure."""
    if measure.kind == "count":
        added = "1"
    elif measure.kind == "days":
        added = days_of_row(frame, measure)
    else:
        added = f"coalesce({frame.reference(measure.column or '')}, 0)"
    if not measure.where:
        return added
    conditions = " AND ".join(frame.condition(condition) for condition in measure.where)
    return f"CASE WHEN {conditions} THEN {added} ELSE 0 END"


def _from_values(frame: Frame, name: str, key: str, language: Language) -> str:
    dimension = frame.catalogue.dimension(name)
    cases: list[str] = []
    for value, text in dimension.values.items():
        stored: object = value
        if dimension.key_type == "integer":
            stored = int(value)
        elif dimension.key_type == "flag":
            stored = value == "1"
        cases.append(f"WHEN {key} = {frame.bind(stored)} THEN {frame.bind(text.text(language))}")
    return "CASE " + " ".join(cases) + " END"


def _typed(column: Column, cell: str) -> str:
    return f"CAST({cell} AS {_SQL_TYPES[column.type]})"
