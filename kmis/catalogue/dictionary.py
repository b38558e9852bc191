"""Renders the marts as Markdown out of the dbt project's own descriptions: the data dictionary of the lake.

``python -m kmis.catalogue.dictionary docs`` writes the dictionaries of marts and of products into the folder; a test
compares the committed files with fresh ones.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from kmis.catalogue.docs import dictionary as products_dictionary
from kmis.catalogue.loader import PRODUCTS, Catalogue, catalogue

PROJECT = PRODUCTS.parents[1]
MARTS = (("Facts", "models/marts/facts"), ("Aggregates", "models/marts/aggregates"),
         ("Dimensions", "models/marts/dimensions"), ("Rules and lists kept as seeds", "seeds"))  # fmt: skip
MARTS_FILE = "data-dictionary.md"
PRODUCTS_FILE = "data-dictionary-products.md"


def marts_dictionary(products: Catalogue, project: Path = PROJECT) -> str:
    """Every mart: what one row is, who reads it, and its columns with type and meaning."""
    parts = [
        "# Data dictionary of the marts",
        "",
        "Made from the descriptions in `dbt_project`; do not edit by hand: `python -m kmis.catalogue.dictionary docs`.",
        "Products that are read from these tables: [data-dictionary-products.md](data-dictionary-products.md).",
        "",
    ]
    for title, folder in MARTS:
        parts += [f"## {title}", ""]
        for table in _tables(project / folder):
            parts += _table(table, products)
    return "\n".join(parts).rstrip() + "\n"


def files(products: Catalogue) -> dict[str, str]:
    """File name -> content of both dictionaries."""
    return {MARTS_FILE: marts_dictionary(products), PRODUCTS_FILE: products_dictionary(products)}


def _tables(folder: Path) -> Iterator[dict[str, Any]]:
    found = [
        table
        for file in folder.glob("*.yml")
        for kind in ("models", "seeds")
        for table in yaml.safe_load(file.read_text(encoding="utf-8")).get(kind, [])
    ]
    yield from sorted(found, key=lambda table: str(table["name"]))


def _table(table: dict[str, Any], products: Catalogue) -> Iterator[str]:
    meta = table.get("config", {}).get("meta", {})
    readers = sorted(product for product, tables in products.lineage.items() if table["name"] in tables)
    yield f"### `{table['name']}`"
    yield ""
    yield _cell(table.get("description", ""))
    yield ""
    if meta.get("serve"):
        yield "- Copied to the serving file of each snapshot."
    if meta.get("reconcile"):
        yield "- Reconciled with PostgreSQL by count and control total."
    if readers:
        yield f"- Read by {', '.join(readers)}."
    yield ""
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in table.get("columns", []):
        key = "key; " if "unique" in column.get("data_tests", []) else ""
        yield f"| `{column['name']}` | {column.get('data_type', '')} | {key}{_cell(column.get('description', ''))} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def main(arguments: list[str]) -> None:
    """Writes both dictionaries into the folder named."""
    for name, content in files(catalogue()).items():
        (Path(arguments[0]) / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
