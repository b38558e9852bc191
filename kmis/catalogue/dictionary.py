"""Renders staging, marts and seeds as Markdown out of the dbt project: the data dictionary of the lake.

``python -m kmis.catalogue.dictionary docs`` writes the dictionaries of staging, marts and products into the folder; a
test compares the committed files with fresh ones, and another the lineage with dbt's own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kmis.catalogue.docs import dictionary as products_dictionary
from kmis.catalogue.lineage import Lineage, Table, read_project
from kmis.catalogue.loader import PRODUCTS, Catalogue, catalogue

PROJECT = PRODUCTS.parents[1]
MARTS = (("Facts", "models/marts/facts"), ("Aggregates", "models/marts/aggregates"),
         ("Dimensions", "models/marts/dimensions"), ("Rules and lists kept as seeds", "seeds"))  # fmt: skip
STAGING_FILE = "data-dictionary-staging.md"
MARTS_FILE = "data-dictionary.md"
PRODUCTS_FILE = "data-dictionary-products.md"
# What a column's name says about its unit; `meta.unit` says it where the name does not.
UNITS = {
    "years": "years", "days": "days", "hours": "hours", "minutes": "minutes", "weeks": "weeks", "kzt": "tenge",
    "g": "g", "cm": "cm", "ml": "ml", "percent": "%",
}  # fmt: skip
MADE = "Made from `dbt_project`; do not edit by hand: `python -m kmis.catalogue.dictionary docs`."
FRESHNESS = (
    "A table follows the operational tables named at it: a pass begins within half a second of a commit, and what it"
    " made is read from its publication on. How old that is shows `kmis status`. A seed changes with a release only."
)
SOURCES = (
    "*Source* names the column of the operational table behind the key that goes over under its own name; an empty cell"
    " is computed by the model. *Unit* is given where a number has one."
)


def staging_dictionary(lineage: Lineage, products: Catalogue) -> str:
    """Every staging model: the operational table that it shows, and its columns with what fills them."""
    folders = sorted({table.folder for table in lineage.tables.values() if table.staging})
    parts = ["# Data dictionary of staging", "", MADE, "", "One table of the lake per operational table, as it is now."]
    parts += [FRESHNESS, ""]
    for folder in folders:
        parts += [f"## {folder.rsplit('/', 1)[-1].replace('_', ' ').capitalize()}", ""]
        for table in lineage.in_folder(folder):
            parts += _table(table, lineage, products)
    return _document(parts)


def marts_dictionary(lineage: Lineage, products: Catalogue) -> str:
    """Every mart and seed: what one row is, what moves it, who reads it, and its columns."""
    parts = [
        "# Data dictionary of the marts", "", MADE,
        f"What they are made from: [{STAGING_FILE}]({STAGING_FILE}); what is read from them:"
        f" [{PRODUCTS_FILE}]({PRODUCTS_FILE}).",
        "", FRESHNESS, "", SOURCES, "",
    ]  # fmt: skip
    for title, folder in MARTS:
        parts += [f"## {title}", ""]
        for table in lineage.in_folder(folder):
            parts += _table(table, lineage, products)
    return _document(parts)


def files(products: Catalogue, project: Path = PROJECT) -> dict[str, str]:
    """File name -> content of each dictionary."""
    lineage = read_project(project)
    return {
        STAGING_FILE: staging_dictionary(lineage, products),
        MARTS_FILE: marts_dictionary(lineage, products),
        PRODUCTS_FILE: products_dictionary(products),
    }


def _table(table: Table, lineage: Lineage, products: Catalogue) -> Iterator[str]:
    yield f"### `{table.name}`"
    yield ""
    yield _cell(table.description)
    yield ""
    moved_by = lineage.operational(table.name)
    if table.staging:
        yield f"- Shows the operational table `{table.name.partition('__')[2]}`."
    elif moved_by:
        yield f"- Follows the operational tables {_names(moved_by)}."
    if not table.staging and (up := lineage.parents(table.name)):
        yield f"- Made from {_names(up)}."
    if down := lineage.children(table.name):
        yield f"- Read by the models {_names(down)}."
    if facts := sorted(name for name, fact in products.facts.items() if fact.table == table.name):
        yield f"- In the catalogue: {_names(facts)}."
    if readers := sorted(product for product, tables in products.lineage.items() if table.name in tables):
        yield f"- Read by the products {', '.join(readers)}."
    if table.meta.get("serve"):
        yield "- Copied to a serving file."
    if table.meta.get("reconcile"):
        yield "- Reconciled with PostgreSQL by count and control total."
    yield ""
    yield "| column | type | unit | source | meaning | tests |"
    yield "|---|---|---|---|---|---|"
    for column in table.columns:
        name = column["name"]
        unit = (column.get("config", {}).get("meta") or {}).get("unit") or _unit(column)
        source = lineage.source(table, column)
        yield (
            f"| `{name}` | {column.get('data_type', '')} | {unit} | {f'`{source}`' if source else ''} |"
            f" {_cell(column.get('description', ''))} | {', '.join(_tests(column))} |"
        )
    yield ""


def _unit(column: dict[str, Any]) -> str:
    number = str(column.get("data_type", "")).startswith(("integer", "decimal", "double", "bigint", "smallint"))
    return UNITS.get(str(column["name"]).rsplit("_", 1)[-1], "") if number else ""


def _tests(column: dict[str, Any]) -> Iterator[str]:
    for test in column.get("data_tests") or ():
        if isinstance(test, str):
            yield test.replace("_", " ")
            continue
        for name, told in test.items():
            arguments = told.get("arguments", told)
            if name == "relationships":
                yield f"in {str(arguments['to']).removeprefix('ref(').rstrip(')')}".replace("'", "`")
            elif name == "accepted_values":
                yield "one of " + _cell(", ".join(str(value) for value in arguments["values"]))
            else:
                yield str(name).rsplit(".", 1)[-1].replace("_", " ")


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _document(parts: list[str]) -> str:
    return "\n".join(parts).rstrip() + "\n"


def _cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def main(arguments: list[str]) -> None:
    """Writes the dictionaries into the folder named."""
    for name, content in files(catalogue()).items():
        (Path(arguments[0]) / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
