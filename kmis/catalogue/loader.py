"""Loads and validates the product catalogue.

Products stand in ``dbt_project/models/products/*.yml`` as exposures with ``config.meta.product``; facts, dimensions
and columns that they name stand in ``definitions/`` beside this file. A catalogue with any fault does not load.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from kmis.catalogue.models import Column, Dimension, Fact, Product
from kmis.catalogue.validation import faults

DEFINITIONS = Path(__file__).parent / "definitions"
PRODUCTS = Path(__file__).parents[2] / "dbt_project" / "models" / "products"
_REF = re.compile(r"^ref\(\s*['\"]([a-z0-9_]+)['\"]\s*\)$")


class CatalogueError(ValueError):
    """The catalogue is faulty; the text lists every fault with the product or file that holds it."""


class UnknownProduct(KeyError):
    """No product of that id."""


@dataclass(frozen=True)
class Catalogue:
    """The validated catalogue. ``lineage`` gives, for each product, the marts that its exposure depends on."""

    products: tuple[Product, ...]
    facts: Mapping[str, Fact]
    dimensions: Mapping[str, Dimension]
    lineage: Mapping[str, frozenset[str]]

    def product(self, product_id: str) -> Product:
        """The product of that id; raises UnknownProduct."""
        for product in self.products:
            if product.id == product_id:
                return product
        raise UnknownProduct(product_id)

    def on(self, day: date) -> tuple[Product, ...]:
        """The products in force on the day, in the order of their ids."""
        return tuple(product for product in self.products if product.valid_on(day))

    def dimension(self, name: str) -> Dimension:
        """The dimension of that name; raises KeyError."""
        return self.dimensions[name]


def load(products: Path = PRODUCTS, definitions: Path = DEFINITIONS) -> Catalogue:
    """Reads both folders. Raises CatalogueError with all faults."""
    problems: list[str] = []
    facts = _named(definitions, "facts", TypeAdapter(Fact), problems)
    dimensions = _named(definitions, "dimensions", TypeAdapter(Dimension), problems)
    columns = _named(definitions, "columns", TypeAdapter(Column), problems)
    loaded: list[Product] = []
    lineage: dict[str, frozenset[str]] = {}
    for file, exposure in _exposures(products):
        meta = exposure.get("config", {}).get("meta", {}).get("product")
        where = f"{file.name}: {exposure.get('name')}"
        if meta is None:
            problems.append(f"{where}: no config.meta.product")
            continue
        try:
            product = Product.model_validate(_with_columns(meta, columns))
        except (ValidationError, KeyError) as error:
            problems.append(f"{where}: {error}")
            continue
        loaded.append(product)
        lineage[product.id] = frozenset(_refs(exposure.get("depends_on", [])))
    if not problems:
        problems = list(faults(loaded, facts, dimensions, lineage))
    if problems:
        raise CatalogueError("\n".join(problems))
    return Catalogue(tuple(sorted(loaded, key=lambda product: product.id)), facts, dimensions, lineage)


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The catalogue of this installation, loaded once per process."""
    return load()


def _exposures(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for file in sorted(folder.glob("*.yml")):
        for exposure in yaml.safe_load(file.read_text(encoding="utf-8")).get("exposures", []):
            yield file, exposure


def _refs(entries: list[str]) -> Iterator[str]:
    for entry in entries:
        match = _REF.match(entry)
        if match:
            yield match.group(1)


def _named(folder: Path, key: str, adapter: TypeAdapter[Any], problems: list[str]) -> dict[str, Any]:
    """The entries of the files ``<key>*.yml``, each given the name that it stands under."""
    entries: dict[str, Any] = {}
    for file in sorted(folder.glob(f"{key}*.yml")):
        for name, body in yaml.safe_load(file.read_text(encoding="utf-8"))[key].items():
            if name in entries:
                problems.append(f"{file.name}: {name} is defined twice")
                continue
            try:
                entries[name] = adapter.validate_python({"name": name, **body})
            except ValidationError as error:
                problems.append(f"{file.name}: {name}: {error}")
    return entries


def _with_columns(meta: dict[str, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
    """The product's description with names of shared columns replaced by the columns."""

    def column(entry: str | dict[str, Any]) -> Column | dict[str, Any]:
        if isinstance(entry, str):
            if entry not in columns:
                raise KeyError(f"unknown column {entry}")
            return columns[entry]
        return entry

    sources = [
        {**source, "columns": [column(entry) for entry in source.get("columns", [])]}
        for source in meta.get("sources", [])
    ]
    return {
        **meta,
        "sources": sources,
        "cell_columns": [column(entry) for entry in meta.get("cell_columns", [])],
    }
