"""The shape of an analytical product: what it counts, by what it opens, what stands in its rows, and its passport.

A product is data. It names facts, dimensions and columns of the shared definitions (``kmis/catalogue/definitions``);
no SQL text stands in it, only names of tables and columns, which the query builder quotes.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Language = Literal["kk", "ru"]
LANGUAGES: tuple[Language, ...] = ("kk", "ru")
# patient_no -> person_no: the number of the record that two merged records of one person leave behind
PERSON_MAP = "dim_person"

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
ColumnType = Literal["text", "code", "date", "datetime", "time", "integer", "number", "money", "flag"]


class Frozen(BaseModel):
    """Base of every catalogue entry: unknown fields are refused, nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Frozen):
    """A text of the screen in both languages."""

    kk: Words
    ru: Words

    def text(self, language: Language) -> str:
        """The text in the language."""
        return self.kk if language == "kk" else self.ru


class Titles(Text):
    """A title in the languages of the screen and in English for engineers' documents."""

    en: Words


# As of what a column is compared: a date with the day, a time with the moment (kmis/query/as_of.py).
Instant = Literal["day", "moment"]


class Condition(Frozen):
    """A condition on one column of a fact: all that is given must hold.

    ``passed``: the column lies before the day or moment as of which figures are told; ``ahead``: it does not, or is
    not known yet.
    """

    column: Reference
    any_of: tuple[str | int | bool, ...] | None = None
    none_of: tuple[str | int | bool, ...] | None = None
    present: bool | None = None
    minimum: int | None = None
    maximum: int | None = None
    since_snapshot: bool = False
    passed: Instant | None = None
    ahead: Instant | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        stated = (self.any_of, self.none_of, self.present, self.minimum, self.maximum, self.passed, self.ahead)
        if all(part is None for part in stated) and not self.since_snapshot:
            raise ValueError(f"condition on {self.column} states nothing")
        return self


class Directory(Frozen):
    """The table that gives the names of a dimension's members.

    ``person`` members have one name for both languages. A historised table has ``valid_from`` and ``valid_to``
    (the first day that no longer holds); rows of a list take the version of their event date, figures the newest.
    A table of age groups names the columns of its limits in full years, both included.
    """

    table: Name
    key: Name
    code: Name | None = None
    name_kk: Name
    name_ru: Name
    sort: Name
    person: bool = False
    roman_order: bool = False
    valid_from: Name | None = None
    valid_to: Name | None = None
    age_from: Name | None = None
    age_to: Name | None = None
    where: tuple[Condition, ...] = ()


class Dimension(Frozen):
    """Something a figure is opened or filtered by. ``codes_only``: its members have no names beside their codes."""

    name: Name
    titles: Titles
    key_type: Literal["integer", "text", "flag"] = "text"
    directory: Directory | None = None
    values: dict[str, Text] = {}
    codes_only: bool = False
    source: str | None = None

    @model_validator(mode="after")
    def _has_names(self) -> Self:
        if sum((self.directory is not None, bool(self.values), self.codes_only)) != 1:
            raise ValueError(f"dimension {self.name} needs exactly one of directory, values, codes_only")
        return self


class Join(Frozen):
    """A dimension table joined to a fact. ``keys`` maps its columns to those of the fact or of an earlier join.

    With ``at_event`` the version of the event date is taken.
    """

    table: Name
    keys: dict[Name, Reference]
    at_event: bool = False
    valid_from: Name = "valid_from"
    valid_to: Name = "valid_to"
    where: tuple[Condition, ...] = ()


class AgeAtEnd(Frozen):
    """A dimension of age groups read from a birth date: the group on the last day of the period."""

    birth_date: Reference


class Band(Frozen):
    """Values from ``at_least`` to ``at_most``, both included; an end that is not given is open."""

    key: Name
    at_least: int | None = None
    at_most: int | None = None


class Elapsed(Frozen):
    """Whole hours, days or weeks from ``since`` to ``until``, or to the day or moment as of which figures are told.

    An end that lies later does not count yet. With ``bands`` the key of the band stands for the number.
    """

    since: Name
    until: Name | None = None
    unit: Literal["hours", "days", "weeks"]
    bands: tuple[Band, ...] = ()


class Aggregate(Frozen):
    """A table of cells of a fact: dimension columns of the fact, a count of rows, and the persons in the cell.

    A query that needs only ``columns`` is answered from it. ``sums`` maps a fact's column to the cell's sum of it,
    ``persons`` names the list of patient numbers.
    """

    table: Name
    date: Name
    count: Name
    columns: frozenset[Name]
    sums: dict[Name, Name] = {}
    persons: Name | None = None


class Fact(Frozen):
    """A fact table of the marts. ``period`` says how the period picks rows.

    ``within``: ``date`` lies in the period. ``at_end``: the row holds on the last day of the period (from ``date``
    on, before ``until``). ``ahead``: ``date`` lies in the 30 days that start with the last day of the period.
    ``elapsed`` names values that depend on the day; dimensions, fields and conditions use them like columns.
    """

    name: Name
    table: Name
    key: Name
    owner: Name
    date: Name
    until: Name | None = None
    person: Name | None = None
    period: Literal["within", "at_end", "during", "ahead"] = "within"
    joins: dict[Name, Join] = {}
    elapsed: dict[Name, Elapsed] = {}
    dimensions: dict[Name, Reference | AgeAtEnd]
    fields: dict[Name, Reference] = {}
    aggregates: tuple[Aggregate, ...] = ()


class Column(Frozen):
    """A column of a row list or an unload: exactly one of ``field``, ``dimension``, ``measure`` fills it."""

    name: Name
    titles: Text
    type: ColumnType = "text"
    field: Reference | None = None
    dimension: Name | None = None
    part: Literal["key", "code", "name"] = "name"
    measure: Name | None = None
    identifier: bool = False
    sort_field: Reference | None = None
    search_field: Reference | None = None
    width: int = 14

    @model_validator(mode="after")
    def _one_filling(self) -> Self:
        if sum(part is not None for part in (self.field, self.dimension, self.measure)) != 1:
            raise ValueError(f"column {self.name} needs exactly one of field, dimension, measure")
        return self


class Threshold(Frozen):
    """From where on a value needs attention; ``source`` says where the limits come from."""

    attention_from: float | None = None
    critical_from: float | None = None
    attention_to: float | None = None
    critical_to: float | None = None
    source: Words


class Measure(Frozen):
    """A figure of a product.

    ``count`` counts rows, ``sum`` adds ``column``, ``persons`` counts different people, ``distinct`` different values
    of ``column``, ``median`` takes the middle of ``column``, ``minimum_days`` the days from the period's last day to
    the earliest ``column``. Of a fact that lasts (period ``during``), ``days`` adds up the days of the period on which
    each row holds, times ``column`` if given; ``daily_mean`` divides that by the days of the period.
    ``ratio`` divides ``numerator`` by ``denominator`` (both measures) times ``factor``; ``difference`` is
    ``numerator`` less ``denominator``; ``share`` is the part of ``numerator`` in the total of the selection times
    ``factor``.
    """

    name: Name
    titles: Text
    kind: Literal[
        "count", "sum", "days", "daily_mean", "persons", "distinct", "median", "minimum_days",
        "ratio", "difference", "share",
    ]  # fmt: skip
    definition: Text
    unit: Text
    source: Name | None = None
    where: tuple[Condition, ...] = ()
    column: Reference | None = None
    numerator: Name | None = None
    denominator: Name | None = None
    factor: float = 1
    decimals: int = 0
    hidden: bool = False
    threshold: Threshold | None = None

    @property
    def additive(self) -> bool:
        """True when the figure is the sum of its rows and of its parts."""
        return self.kind in ("count", "sum", "days")

    @property
    def derived(self) -> bool:
        """True when the figure is computed out of other measures."""
        return self.kind in ("ratio", "difference", "share")

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.kind in ("sum", "distinct", "median", "minimum_days") and self.column is None:
            raise ValueError(f"measure {self.name} of kind {self.kind} needs a column")
        if self.derived and self.numerator is None:
            raise ValueError(f"measure {self.name} needs a numerator")
        if self.kind in ("ratio", "difference") and self.denominator is None:
            raise ValueError(f"measure {self.name} needs a denominator")
        return self


class Source(Frozen):
    """A fact that a product reads, what of it belongs to the product, and how its rows are listed.

    ``ignores`` names dimensions that this source deliberately does not follow (the population behind a rate does not
    depend on the diagnosis); a dimension that is neither known nor ignored makes its measures not applicable.
    """

    name: Name
    fact: Name
    where: tuple[Condition, ...] = ()
    columns: tuple[Column, ...] = ()
    sort: tuple[Name, ...] = ()
    ignores: frozenset[Name] = frozenset()


class Passport(Frozen):
    """What a figure means, in one language. Every field is obligatory."""

    period_date: Words
    organisation: Words
    region: Words
    age: Words
    left_out: Words
    numerator: Words
    denominator: Words
    unit: Words
    source: Words


class Passports(Frozen):
    """The passport in Kazakh and in Russian."""

    kk: Passport
    ru: Passport

    def text(self, language: Language) -> Passport:
        """The passport in the language."""
        return self.kk if language == "kk" else self.ru


class Act(Frozen):
    """The act that a product follows; ``verified`` is false where the text of the act could not be read."""

    titles: Text
    source: Words
    verified: bool = False


class Product(Frozen):
    """One analytical product of the catalogue."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3,4}-\d{2}$")]
    kind: Literal["dashboard", "board", "unload", "report"]
    short_name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{3,40}$")]
    titles: Titles
    short_titles: Text
    grain: Titles
    period: Literal["range", "day"] = "range"
    sources: tuple[Source, ...] = Field(min_length=1)
    measures: tuple[Measure, ...] = Field(min_length=1)
    drill: tuple[tuple[Name, ...], ...] = Field(min_length=1)
    dimensions: tuple[Name, ...] = ()
    structure: tuple[Name, ...] = ()
    unload: Literal["rows", "cells"] = "rows"
    cell_dimensions: tuple[Name, ...] = ()
    cell_columns: tuple[Column, ...] = ()
    outputs: tuple[Literal["dashboard", "board", "screen", "xlsx", "xls", "pdf", "docx"], ...]
    passport: Passports
    act: Act
    valid_from: date
    valid_to: date | None = None

    def valid_on(self, day: date) -> bool:
        """True when the product is in force on the day (``valid_to`` is the first day when it no longer is)."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    @property
    def main(self) -> Source:
        """The source whose rows are the product's rows."""
        return self.sources[0]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the product's row list."""
        return self.main.columns

    @property
    def drill_dimensions(self) -> tuple[str, ...]:
        """The dimensions of the drill path in order."""
        return tuple(name for level in self.drill for name in level)

    @property
    def selectable(self) -> frozenset[str]:
        """All dimensions that a selection of the product may name."""
        return frozenset(self.drill_dimensions) | frozenset(self.dimensions)

    def measure(self, name: str) -> Measure:
        """The measure of that name; raises KeyError."""
        for measure in self.measures:
            if measure.name == name:
                return measure
        raise KeyError(name)

    def source(self, name: str | None) -> Source:
        """The source of that name, the main one for None; raises KeyError."""
        if name is None:
            return self.main
        for source in self.sources:
            if source.name == name:
                return source
        raise KeyError(name)

    @property
    def shown_measures(self) -> tuple[Measure, ...]:
        """The measures that a page shows, hidden denominators left out."""
        return tuple(measure for measure in self.measures if not measure.hidden)
