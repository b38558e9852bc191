"""Renders the catalogue as Markdown: the data dictionary of products for the documentation.

``python -m kmis.catalogue.docs FILE`` writes the file; a test compares the committed one with a fresh one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from kmis.catalogue.loader import Catalogue, catalogue
from kmis.catalogue.models import LANGUAGES, Column, Language, Measure, Passport, Product

_PASSPORT_TITLES: dict[str, dict[Language, str]] = {
    "period_date": {"kk": "Кезеңге кіргізетін күн", "ru": "Дата, по которой строка входит в период"},
    "organisation": {"kk": "Ұйым", "ru": "Организация"},
    "region": {"kk": "Өңір", "ru": "Регион"},
    "age": {"kk": "Жас", "ru": "Возраст"},
    "left_out": {"kk": "Не кірмейді", "ru": "Что не входит"},
    "numerator": {"kk": "Алымы", "ru": "Числитель"},
    "denominator": {"kk": "Бөлімі", "ru": "Знаменатель"},
    "unit": {"kk": "Өлшем бірлігі", "ru": "Единица"},
    "source": {"kk": "Анықтама көзі", "ru": "Источник определения"},
}
PASSPORT_FIELDS: tuple[str, ...] = tuple(_PASSPORT_TITLES)


def passport_title(field: str, language: Language) -> str:
    """The heading of a passport's field on screens, in files and in the documentation."""
    return _PASSPORT_TITLES[field][language]


def passport_lines(passport: Passport, language: Language) -> tuple[tuple[str, str], ...]:
    """The passport as pairs of heading and text, in the order of reading."""
    return tuple((passport_title(field, language), getattr(passport, field)) for field in PASSPORT_FIELDS)


def dictionary(products: Catalogue) -> str:
    """The whole dictionary as Markdown."""
    parts = [
        "# Data dictionary of analytical products",
        "",
        "Made from the product catalogue (`dbt_project/models/products`); do not edit by hand:"
        " `python -m kmis.catalogue.docs docs/data-dictionary-products.md`.",
        "",
    ]
    for product in products.products:
        parts += _product(product, products)
    return "\n".join(parts).rstrip() + "\n"


def _product(product: Product, products: Catalogue) -> Iterator[str]:
    yield f"## {product.id}. {product.titles.en}"
    yield ""
    yield f"- kk: {product.titles.kk}"
    yield f"- ru: {product.titles.ru}"
    yield f"- Grain: {product.grain.en}"
    yield f"- Outputs: {', '.join(product.outputs)}"
    yield f"- In force from {product.valid_from.isoformat()}" + (
        f" until {product.valid_to.isoformat()}" if product.valid_to else ""
    )
    yield f"- Act: {product.act.titles.ru} ({product.act.source})"
    yield f"- Marts: {', '.join(f'`{table}`' for table in sorted(products.lineage[product.id]))}"
    yield (
        "- Drill path: " + " → ".join(" or ".join(f"`{name}`" for name in level) for level in product.drill) + " → rows"
    )
    yield "- Filters: " + ", ".join(f"`{name}`" for name in product.dimensions)
    yield ""
    for language in LANGUAGES:
        yield f"### {product.id}: passport ({language})"
        yield ""
        for title, text in passport_lines(product.passport.text(language), language):
            yield f"- **{title}**: {text}"
        yield ""
    yield f"### {product.id}: measures"
    yield ""
    yield "| name | kk | ru | how | definition (ru) |"
    yield "|---|---|---|---|---|"
    yield from (_measure(measure) for measure in product.measures)
    yield ""
    if product.cell_columns:
        yield from _columns(product, "unload", product.cell_columns)
    for source in product.sources:
        if source.columns:
            yield from _columns(product, source.name, source.columns)


def _measure(measure: Measure) -> str:
    how: str = measure.kind
    if measure.derived:
        below = "total" if measure.kind == "share" else measure.denominator
        sign = "−" if measure.kind == "difference" else "/"
        how = f"{measure.numerator} {sign} {below}" + (f" × {measure.factor:g}" if measure.factor != 1 else "")
    if measure.threshold is not None:
        how += f"; limits: {measure.threshold.source}"
    return f"| `{measure.name}` | {measure.titles.kk} | {measure.titles.ru} | {how} | {measure.definition.ru} |"


def _columns(product: Product, name: str, columns: tuple[Column, ...]) -> Iterator[str]:
    yield f"### {product.id}: columns of {name}"
    yield ""
    yield "| name | kk | ru | type |"
    yield "|---|---|---|---|"
    for column in columns:
        kind = f"{column.type}, identifier" if column.identifier else column.type
        yield f"| `{column.name}` | {column.titles.kk} | {column.titles.ru} | {kind} |"
    yield ""


def main(arguments: list[str]) -> None:
    """Writes the dictionary to the file named."""
    Path(arguments[0]).write_text(dictionary(catalogue()), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
