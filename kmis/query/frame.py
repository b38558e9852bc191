"""Turns one source of a product, a selection and a scope into the FROM and WHERE of an SQL statement.

Identifiers come from the validated catalogue and are quoted; every value is a bound parameter. The scope is part of
every statement: there is no way to make a frame without one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from kmis.catalogue.loader import Catalogue
from kmis.catalogue.models import (
    PERSON_MAP,
    AgeAtEnd,
    Aggregate,
    Condition,
    Dimension,
    Directory,
    Elapsed,
    Fact,
    Instant,
    Join,
    Product,
    Source,
)
from kmis.query.as_of import AsOf
from kmis.query.contract import Scope
from kmis.query.selection import Selection
from kmis.query.store import Tables, quoted

AHEAD_DAYS = 30


class NotApplicable(Exception):
    """The source does not have a dimension of the selection: its measures have no value there."""


class NotInAggregate(Exception):
    """The aggregate lacks a column of the statement: the fact answers."""


@dataclass
class Frame:
    """The statement in the making. ``aggregate`` set: the cells are read in place of the fact."""

    catalogue: Catalogue
    product: Product
    source: Source
    selection: Selection
    scope: Scope
    tables: Tables
    snapshot_at: datetime
    as_of: AsOf
    zone: str
    aggregate: Aggregate | None = None
    unnest_persons: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._joins: dict[str, str] = {}
        self._step: str | None = None

    @property
    def fact(self) -> Fact:
        """The fact of the source."""
        return self.catalogue.facts[self.source.fact]

    def bind(self, value: object) -> str:
        """Binds a value and gives its place."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"${name}"

    def bind_all(self, values: Iterable[object]) -> str:
        """Binds values and gives their places as a list in brackets."""
        return "(" + ", ".join(self.bind(value) for value in values) + ")"

    # --- columns ----------------------------------------------------------------------------------

    def reference(self, reference: str) -> str:
        """A column of the fact or of one of its joins; the join is added when it is first needed."""
        prefix, dot, name = reference.partition(".")
        if not dot:
            elapsed = self.fact.elapsed.get(prefix)
            return self._own(prefix) if elapsed is None else self._elapsed(elapsed)
        self._join(prefix, self.fact.joins[prefix])
        return f"{quoted(prefix)}.{quoted(name)}"

    def summand(self, column: str) -> str:
        """The column to add up: the fact's own, or the cell's sum of it."""
        if self.aggregate is None:
            return self.reference(column)
        if column not in self.aggregate.sums:
            raise NotInAggregate
        return f"f.{quoted(self.aggregate.sums[column])}"

    def dimension(self, name: str) -> str:
        """The key of a dimension. Raises NotApplicable."""
        reference = self.fact.dimensions.get(name)
        if reference is None:
            raise NotApplicable
        if isinstance(reference, AgeAtEnd):
            return self._age_group(name, reference)
        return self.reference(reference)

    def person(self) -> str:
        """The number of the person behind a row, after merges."""
        own = self._own(self.fact.person or "")
        self._joins.setdefault(
            "persons", f"LEFT JOIN {self.tables.source(PERSON_MAP)} AS persons ON persons.patient_no = {own}"
        )
        return f"coalesce(persons.person_no, {own})"

    def event_date(self) -> str:
        """The date whose version of a historised dimension a row takes."""
        if self.fact.period == "at_end":
            return self.bind(self.selection.period_to)
        return self._own(self.fact.date)

    # --- facts that last --------------------------------------------------------------------------

    @property
    def period_until(self) -> date:
        """The first day after the part of the period that the snapshot has reached: no day counts before it comes."""
        return self.as_of.day + timedelta(days=1)

    def split(self, step: str) -> str:
        """Repeats each row for the days, months or years on which it holds; gives the first day of the step.

        Call it before the measures: their days are then those of the step.
        """
        start, until = self._bounds()
        self._step = step
        spine = (
            f"(SELECT CAST(s AS DATE) AS k, greatest(CAST(s AS DATE), {start}) AS start_day,"
            f" least(CAST(s + INTERVAL 1 {step} AS DATE), {until}) AS end_day"
            f" FROM generate_series(date_trunc('{step}', {start}), {until} - INTERVAL 1 DAY, INTERVAL 1 {step})"
            f" AS t(s))"
        )
        own, end = self._own(self.fact.date), self._own(self.fact.until or "")
        self._joins["step"] = f"JOIN {spine} AS step ON {own} < step.end_day AND {end} > step.start_day"
        return "step.k"

    def days(self) -> str:
        """On how many days of the period, or of the step, a row holds."""
        start, until = ("step.start_day", "step.end_day") if self._step else self._bounds()
        own, end = self._own(self.fact.date), self._own(self.fact.until or "")
        return f"greatest(least({end}, {until}) - greatest({own}, {start}), 0)"

    def day_count(self) -> str:
        """How many days the period, or the step, has had so far; an aggregate, null when none."""
        if self._step:
            return "any_value(step.end_day - step.start_day)"
        return f"nullif({self.bind(max((self.period_until - self.selection.period_from).days, 0))}, 0)"

    def _bounds(self) -> tuple[str, str]:
        start, until = self.bind(self.selection.period_from), self.bind(self.period_until)
        return f"CAST({start} AS DATE)", f"CAST({until} AS DATE)"

    def local(self, expression: str) -> str:
        """An instant as local time of the installation."""
        return f"timezone({self.bind(self.zone)}, {expression})"

    def _elapsed(self, elapsed: Elapsed) -> str:
        """Time since a column, as of the selection; the number or its band."""
        moments = elapsed.unit == "hours"
        kind, now = ("TIMESTAMPTZ", self.as_of.moment) if moments else ("DATE", self.as_of.day)
        end = f"CAST({self.bind(now)} AS {kind})"
        if elapsed.until is not None:
            end = f"least({end}, CAST({self._own(elapsed.until)} AS {kind}))"
        since = f"CAST({self._own(elapsed.since)} AS {kind})"
        length = f"date_diff('{'second' if moments else 'day'}', {since}, {end})"
        per = {"hours": 3600, "days": 1, "weeks": 7}[elapsed.unit]
        number = f"CAST(floor({length} / {per}) AS BIGINT)"
        if not elapsed.bands:
            return number
        cases = []
        for band in elapsed.bands:
            limits = [] if band.at_least is None else [f"{number} >= {self.bind(band.at_least)}"]
            limits += [] if band.at_most is None else [f"{number} <= {self.bind(band.at_most)}"]
            cases.append(f"WHEN {' AND '.join(limits) or number + ' IS NOT NULL'} THEN {self.bind(band.key)}")
        return f"CASE {' '.join(cases)} END"

    def _own(self, name: str) -> str:
        if self.aggregate is not None:
            known = set(self.aggregate.columns) | {self.aggregate.date}
            if self.unnest_persons and self.fact.person:
                known.add(self.fact.person)
            if name not in known:
                raise NotInAggregate
        return f"f.{quoted(name)}"

    def _join(self, name: str, join: Join) -> None:
        if name in self._joins:
            return
        alias = quoted(name)
        conditions = [f"{alias}.{quoted(column)} = {self.reference(own)}" for column, own in join.keys.items()]
        if join.at_event:
            conditions += self._holds(alias, join.valid_from, join.valid_to)
        conditions += [self._condition(f"{alias}.{quoted(part.column)}", part) for part in join.where]
        self._joins[name] = f"LEFT JOIN {self.tables.source(join.table)} AS {alias} ON " + " AND ".join(conditions)

    def directory(self, name: str, dimension: Dimension, directory: Directory) -> str:
        """Joins the directory of a dimension (the version of the event date) and gives its alias."""
        alias = quoted(f"d_{name}")
        key = f"d_{name}"
        if key not in self._joins:
            own = self.dimension(name)
            conditions = [f"{alias}.{quoted(directory.key)} = {own}"]
            if directory.valid_from and directory.valid_to:
                conditions += self._holds(alias, directory.valid_from, directory.valid_to)
            conditions += [self._condition(f"{alias}.{quoted(part.column)}", part) for part in directory.where]
            self._joins[key] = f"LEFT JOIN {self.tables.source(directory.table)} AS {alias} ON " + " AND ".join(
                conditions
            )
        return alias

    def _holds(self, alias: str, valid_from: str, valid_to: str) -> list[str]:
        day = self.event_date()
        return [f"{day} >= {alias}.{quoted(valid_from)}", f"{day} < {alias}.{quoted(valid_to)}"]

    def _age_group(self, name: str, reference: AgeAtEnd) -> str:
        directory = self.catalogue.dimension(name).directory
        if directory is None or directory.age_from is None or directory.age_to is None:
            raise NotApplicable
        alias = quoted(f"a_{name}")
        if f"a_{name}" not in self._joins:
            born = self.reference(reference.birth_date)
            end = f"CAST({self.bind(self.selection.period_to)} AS DATE)"
            before_birthday = f"(month({end}), day({end})) < (month({born}), day({born}))"
            age = f"(year({end}) - year({born}) - CASE WHEN {before_birthday} THEN 1 ELSE 0 END)"
            self._joins[f"a_{name}"] = (
                f"LEFT JOIN {self.tables.source(directory.table)} AS {alias} ON "
                f"{age} >= {alias}.{quoted(directory.age_from)} AND "
                f"({alias}.{quoted(directory.age_to)} IS NULL OR {age} <= {alias}.{quoted(directory.age_to)})"
            )
        return f"{alias}.{quoted(directory.key)}"

    # --- conditions -------------------------------------------------------------------------------

    def condition(self, condition: Condition) -> str:
        """A condition of the catalogue on a column of the source."""
        return self._condition(self.reference(condition.column), condition)

    def _condition(self, column: str, condition: Condition) -> str:
        parts: list[str] = []
        if condition.any_of is not None:
            parts.append(f"{column} IN {self.bind_all(condition.any_of)}")
        if condition.none_of is not None:
            parts.append(f"({column} IS NULL OR {column} NOT IN {self.bind_all(condition.none_of)})")
        if condition.present is not None:
            parts.append(f"{column} IS {'NOT ' if condition.present else ''}NULL")
        if condition.minimum is not None:
            parts.append(f"{column} >= {self.bind(condition.minimum)}")
        if condition.maximum is not None:
            parts.append(f"{column} <= {self.bind(condition.maximum)}")
        if condition.since_snapshot:
            parts.append(f"{column} >= {self.bind(self.snapshot_at)}")
        if condition.passed is not None:
            parts.append(f"{column} < {self._instant(condition.passed)}")
        if condition.ahead is not None:
            parts.append(f"({column} IS NULL OR {column} >= {self._instant(condition.ahead)})")
        return " AND ".join(parts)

    def _instant(self, instant: Instant) -> str:
        return self.bind(self.as_of.day if instant == "day" else self.as_of.moment)

    def conditions(self) -> list[str]:
        """Scope, period, the source's own conditions, path and filters."""
        parts = [f"{self._own(self.fact.owner)} IN {self.bind_all(sorted(self.scope.organisation_ids))}"]
        parts += self._period()
        parts += [self.condition(condition) for condition in self.source.where]
        wanted = [(name, (key,)) for name, key in self.selection.path] + list(self.selection.filters.items())
        parts += [self._chosen(name, keys) for name, keys in wanted if name not in self.source.ignores]
        return parts

    def _period(self) -> list[str]:
        fact, chosen = self.fact, self.selection
        own = self._own(self.aggregate.date if self.aggregate else fact.date)
        if fact.period == "at_end":
            return [
                f"{own} <= {self.bind(chosen.period_to)}",
                f"{self._own(fact.until or '')} > {self.bind(chosen.period_to)}",
            ]
        if fact.period == "during":
            start, until = self._bounds()
            return [f"{own} < {until}", f"{self._own(fact.until or '')} > {start}"]
        if fact.period == "ahead":
            end = f"CAST({self.bind(chosen.period_to)} AS DATE)"
            return [f"{own} >= {end}", f"{own} < {end} + {AHEAD_DAYS}"]
        return [f"{own} >= {self.bind(chosen.period_from)}", f"{own} <= {self.bind(chosen.period_to)}"]

    def _chosen(self, name: str, keys: tuple[str, ...]) -> str:
        column = self.dimension(name)
        dimension = self.catalogue.dimension(name)
        known = [native(dimension, key) for key in keys if key != ""]
        parts = [f"{column} IN {self.bind_all(known)}"] if known else []
        if "" in keys:
            parts.append(f"{column} IS NULL")
        return "(" + " OR ".join(parts) + ")"

    # --- clauses ----------------------------------------------------------------------------------

    def from_clause(self) -> str:
        """FROM with the joins that were needed so far: call it after all columns and conditions."""
        table = self.tables.source(self.aggregate.table if self.aggregate else self.fact.table)
        if self.aggregate is not None and self.unnest_persons and self.fact.person:
            persons, person = quoted(self.aggregate.persons or ""), quoted(self.fact.person)
            columns = f"* EXCLUDE ({persons}), unnest({persons}) AS {person}"
            table = " ".join(("(SELECT", columns, "FROM", table, ")"))
        return " ".join(["FROM", table, "AS f", *self._joins.values()])


def native(dimension: Dimension, key: str) -> object:
    """A key of a selection as the value that stands in the column."""
    if dimension.key_type == "integer":
        return int(key)
    if dimension.key_type == "flag":
        return key == "1"
    return key


def key_text(value: object) -> str:
    """A value of a column as the key of a selection; null is ``""``."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
