"""Every product's figures of an installation as one JSON object: ``python -m tests.distrust.figures FIRST LAST``.

Totals, the first step of the drill path by name, the count of rows and the first of them. The synthetic region is the
same for the same seed and day, but its last days run up to the moment of loading: a period that ends a week before can
be compared between two loads. Moments in rows are left out: waiting and due times run up to that moment too.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date, datetime
from typing import Any

import psycopg

from kmis.query import QueryService, Scope, Selection, SelectionError
from kmis.query.errors import QueryError
from kmis.settings import get_settings


def figures(first: date, last: date) -> dict[str, Any]:
    """Product -> its numbers in the period, for the whole region."""
    settings = get_settings()
    with psycopg.connect(settings.dsn("kmis_owner")) as store:
        organisations = frozenset(int(row[0]) for row in store.execute("select id from organisation").fetchall())
    scope = Scope(0, organisations, show_identifiers=True)
    service = QueryService(settings)
    try:
        snapshot = service.current().snapshot_id
        found: dict[str, Any] = {}
        for product in service.catalogue.products:
            selection = Selection(first, last)
            try:
                totals = service.figures(product.id, selection, scope, snapshot)
            except SelectionError:  # a board of one day
                selection = Selection(last, last)
                totals = service.figures(product.id, selection, scope, snapshot)
            levels = service.next_levels(product.id, selection)
            level = service.breakdown(product.id, selection, levels[0].name, scope, snapshot) if levels else None
            found[product.id] = {
                "figures": {name: value.value for name, value in totals.measures.items()},
                "drill": {
                    row.label.ru: {name: value.value for name, value in row.measures.items()}
                    for row in (level.rows if level else ())
                },
                "rows": _rows(service, product.id, selection, scope, snapshot),
            }
        return found
    finally:
        service.close()


def _rows(service: QueryService, product: str, selection: Selection, scope: Scope, snapshot: int) -> list[Any] | None:
    """How many rows there are, and the first of them; None where a product has no list."""
    try:
        page = service.rows(product, selection, scope, snapshot, page_size=20)
    except QueryError:
        return None
    return [page.total, [[str(cell) for cell in row if not isinstance(cell, datetime)] for row in page.rows]]


if __name__ == "__main__":
    # Only the answer goes to the output: what a library prints (a bar of progress) goes to the error stream.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    asked = figures(date.fromisoformat(sys.argv[1]), date.fromisoformat(sys.argv[2]))
    answer.write(json.dumps(asked, ensure_ascii=False, sort_keys=True, default=str))
    answer.close()
