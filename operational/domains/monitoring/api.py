"""Figures, rows and files for programs: the same query, the same snapshot, the same number as on every screen."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from kmis.query import Selection
from operational.domains.monitoring import repository, service
from operational.domains.monitoring.asking import Query, refusals, scope_of, snapshot_of
from operational.domains.monitoring.permissions import CanUnload, CanView
from operational.domains.monitoring.signals import api as signals
from operational.domains.monitoring.status import api as status
from operational.kit.errors import NotFound
from operational.web.database import Db

router = APIRouter(prefix="/api", tags=["analytics"])
router.include_router(signals.router)
router.include_router(status.router)


class OrderFile(BaseModel):
    """An order: the product, its selection as an address writes it, the snapshot (unset: the newest)."""

    product: str
    selection: str
    snapshot: int | None = None
    language: Literal["kk", "ru"] = "ru"
    format: Literal["xlsx", "xls", "pdf", "docx"] = "xlsx"


class FileOut(BaseModel):
    """The state of an order."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    product: str
    format: str
    snapshot_id: int
    status: str
    progress: int
    rows: int | None
    file_name: str | None
    sha256: str | None


@router.post("/unloads", status_code=202)
def order(viewer: CanUnload, db: Db, query: Query, wanted: OrderFile) -> FileOut:
    """Order a file."""
    with refusals():
        selection = Selection.from_query(_pairs(wanted.selection))
    row = service.order(db, query, viewer, wanted.product, selection, wanted.snapshot, wanted.format, wanted.language)
    db.refresh(row)
    return FileOut.model_validate(row)


@router.get("/unloads/{key}")
def state(viewer: CanUnload, db: Db, key: int) -> FileOut:
    """How far an order is."""
    row = repository.unload(db, key, viewer.user_id)
    if row is None:
        raise NotFound()
    return FileOut.model_validate(row)


@router.get("/products/{product_id}/figures")
def figures(request: Request, viewer: CanView, query: Query, product_id: str) -> dict[str, Any]:
    """The measures of a selection (``from``, ``to``, ``path``, ``f.<dimension>``, ``snapshot``)."""
    with refusals():
        selection = Selection.from_query(request.query_params.multi_items(), query.default_selection(product_id))
        snapshot = snapshot_of(query, request.query_params.get("snapshot", ""))
        found = query.figures(product_id, selection, scope_of(viewer), snapshot.snapshot_id)
    return {
        "product": product_id,
        "snapshot": snapshot.snapshot_id,
        "as_of": snapshot.event_at,
        "reconciled": snapshot.reconciled,
        "measures": {
            name: {"value": value.value, "numerator": value.numerator, "denominator": value.denominator}
            for name, value in found.measures.items()
        },
    }


def _pairs(text: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl

    return parse_qsl(text, keep_blank_values=True)
