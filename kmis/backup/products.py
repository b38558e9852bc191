"""The figures of every product at one snapshot: what a restored installation must show again."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg

from kmis import catalogue as catalogue_package
from kmis.query import QueryError, QueryService, Scope, Selection
from kmis.settings import Settings

# A year of events: what a snapshot has gained or lost shows in some figure of it.
DAYS = 365


def figures_at(settings: Settings, snapshot_id: int, last_day: date) -> dict[str, Any]:
    """Of each product: its figures over the year up to the day, for the whole region, and the number of its rows.

    Keys: ``catalogue`` (digest of the definitions), ``day``, ``figures`` by product. A product that the snapshot
    cannot answer (a release newer than its lake) has None.
    """
    with psycopg.connect(settings.dsn("kmis_app")) as store:
        organisations = frozenset(int(row[0]) for row in store.execute("select id from organisation").fetchall())
    service = QueryService(settings)
    try:
        selection = Selection(last_day - timedelta(days=DAYS - 1), last_day)
        scope = Scope(0, organisations)
        figures = {
            product.id: _of(service, product.id, selection, scope, snapshot_id)
            for product in service.catalogue.products
        }
    finally:
        service.close()
    return {"catalogue": definitions_digest(), "day": last_day.isoformat(), "figures": figures}


def definitions_digest() -> str:
    """SHA-256 over the catalogue's definitions: figures are comparable where it is the same."""
    digest = hashlib.sha256()
    for file in sorted((Path(catalogue_package.__file__).parent / "definitions").rglob("*.y*ml")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def differing(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Products whose figures or rows are others; none where the definitions have changed in between.

    One that did not answer on either side (an overloaded machine) differs in nothing that is known.
    """
    return sorted(name for name in compared(before, after) if after["figures"][name] != before["figures"][name])


def compared(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Products that answered on both sides, by the same definitions."""
    if before.get("catalogue") != after.get("catalogue"):
        return []
    return [
        name for name, figures in before["figures"].items()
        if figures is not None and after["figures"].get(name) is not None
    ]  # fmt: skip


def _of(
    service: QueryService, product: str, selection: Selection, scope: Scope, snapshot_id: int
) -> dict[str, Any] | None:
    try:
        figures = service.figures(product, selection, scope, snapshot_id)
        rows = service.rows(product, selection, scope, snapshot_id, page_size=1).total
    except QueryError:
        return None
    # Sums of another order of addition differ in the last bits.
    values = {name: _rounded(measure.value) for name, measure in figures.measures.items()}
    return values | {"rows": rows}


def _rounded(value: float | int | None) -> float | int | None:
    return round(value, 6) if isinstance(value, float) else value
