"""A selection: the period, the drill path and the filters, and its shareable address.

The address holds keys of directories and organisations only. A dimension of patients does not exist, so no
identifier of a person can stand in it; texts of a search travel outside of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from urllib.parse import urlencode

from kmis.catalogue.models import Dimension, Product
from kmis.query.errors import SelectionError

FILTER_PREFIX = "f."
_KEY = re.compile(r"^[\w.+\-]{0,40}$")
_TWELVE_DIGITS = re.compile(r"^\d{12}$")
_DATE_RU = re.compile(r"^(\d{2})\.(\d{2})\.(\d{4})$")


def _no_filters() -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({})


def parse_date(text: str) -> date:
    """A date written as ``2026-01-31`` or ``31.01.2026``; raises ValueError."""
    match = _DATE_RU.match(text.strip())
    if match:
        day, month, year = (int(part) for part in match.groups())
        return date(year, month, day)
    return date.fromisoformat(text.strip())


@dataclass(frozen=True)
class Selection:
    """What of a product is looked at. Both ends of the period are included; keys are texts, ``""`` is "unknown"."""

    period_from: date
    period_to: date
    path: tuple[tuple[str, str], ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=_no_filters)

    def __post_init__(self) -> None:
        if self.period_to < self.period_from:
            raise SelectionError({"to": "selection.period_reversed"})
        ordered = {name: tuple(sorted(set(keys))) for name, keys in sorted(self.filters.items()) if keys}
        object.__setattr__(self, "filters", MappingProxyType(ordered))

    @property
    def identity(self) -> tuple[object, ...]:
        """A hashable value that is equal for equal selections."""
        return self.period_from, self.period_to, self.path, tuple(self.filters.items())

    def __hash__(self) -> int:
        return hash(self.identity)

    def drill(self, dimension: str, key: str) -> Selection:
        """The selection one step deeper."""
        return replace(self, path=(*self.path, (dimension, key)))

    def up(self, steps: int) -> Selection:
        """The selection cut to its first ``steps`` steps of the path."""
        return replace(self, path=self.path[:steps])

    def filtered(self, dimension: str, *keys: str) -> Selection:
        """The selection with the filter of the dimension set to the keys; no key removes it."""
        return replace(self, filters={**self.filters, dimension: keys})

    def pairs(self) -> list[tuple[str, str]]:
        """The parts of the address in a stable order."""
        pairs = [("from", self.period_from.isoformat()), ("to", self.period_to.isoformat())]
        pairs += [("path", f"{dimension}:{key}") for dimension, key in self.path]
        pairs += [(FILTER_PREFIX + name, key) for name, keys in self.filters.items() for key in keys]
        return pairs

    def to_query(self) -> str:
        """The query text of an address, without the question mark."""
        return urlencode(self.pairs())

    def checked(self, product: Product, dimensions: Mapping[str, Dimension]) -> Selection:
        """The selection itself when the product knows all it names; raises SelectionError with field errors."""
        errors: dict[str, str] = {}
        if product.period == "day" and self.period_from != self.period_to:
            errors["to"] = "selection.one_day"
        for name, key in self.path:
            if name not in product.selectable:
                errors["path"] = "selection.dimension_unknown"
            elif not key_valid(dimensions[name], key):
                errors["path"] = "selection.key_invalid"
        for name, keys in self.filters.items():
            if name not in product.selectable:
                errors[FILTER_PREFIX + name] = "selection.filter_unknown"
            elif not all(key_valid(dimensions[name], key) for key in keys):
                errors[FILTER_PREFIX + name] = "selection.key_invalid"
        if errors:
            raise SelectionError(errors)
        return self

    @classmethod
    def from_query(
        cls,
        query: Mapping[str, str] | Iterable[tuple[str, str]],
        default: Selection | None = None,
    ) -> Selection:
        """Reads an address (``request.query_params.multi_items()``); other parameters are left alone.

        A missing end of the period is taken from ``default``. Raises SelectionError with field errors.
        """
        items = list(query.items()) if isinstance(query, Mapping) else list(query)
        errors: dict[str, str] = {}
        ends = {
            "from": default.period_from if default else None,
            "to": default.period_to if default else None,
        }
        path: list[tuple[str, str]] = []
        filters: dict[str, list[str]] = {}
        for name, value in items:
            if name in ends:
                try:
                    ends[name] = parse_date(value) if value.strip() else ends[name]
                except ValueError:
                    errors[name] = "selection.date_invalid"
            elif name == "path":
                dimension, colon, key = value.partition(":")
                if not colon:
                    errors["path"] = "selection.key_invalid"
                path.append((dimension, key))
            elif name.startswith(FILTER_PREFIX):
                filters.setdefault(name.removeprefix(FILTER_PREFIX), []).append(value)
        errors |= {
            name: "selection.period_required" for name, day in ends.items() if day is None and name not in errors
        }
        first, last = ends["from"], ends["to"]
        if first and last and last < first:
            errors.setdefault("to", "selection.period_reversed")
        if errors or first is None or last is None:
            raise SelectionError(errors)
        return cls(first, last, tuple(path), {name: tuple(keys) for name, keys in filters.items()})


def key_valid(dimension: Dimension, key: str) -> bool:
    """True when the text can be a key of the dimension. Twelve digits never are: they would be an IIN."""
    if key == "":
        return True
    if _TWELVE_DIGITS.match(key) or not _KEY.match(key):
        return False
    if dimension.key_type == "integer":
        return key.isdecimal() and len(key) <= 18
    if dimension.values:
        return key in dimension.values
    return True
