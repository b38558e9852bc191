"""The same use cases of orders and results for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from operational.domains.orders import repository
from operational.domains.orders.models import DiagnosticReport
from operational.domains.orders.permissions import CanOrder, CanRead, CanReadResults, CanWriteResults
from operational.domains.orders.results import ManualResults
from operational.domains.orders.schemas import NewOrder, OrderOut, Reason, ReportOut, ResultOut, Results
from operational.domains.orders.service import Orders
from operational.kit.audit import audit
from operational.web.database import Db

router = APIRouter(prefix="/api", tags=["orders"])


def orders_of(request: Request, db: Db) -> Orders:
    return Orders(db, request.app.state.clock, request.app.state.settings.zone)


def results_of(request: Request, db: Db) -> ManualResults:
    return ManualResults(db, request.app.state.clock, request.app.state.settings.zone)


OrderService = Annotated[Orders, Depends(orders_of)]
ResultService = Annotated[ManualResults, Depends(results_of)]


def _report(db: Db, report: DiagnosticReport) -> ReportOut:
    rows = [ResultOut.model_validate(row) for row, _ in repository.results(db, [report.id])]
    return ReportOut(id=report.id, order_id=report.order_id, status=report.status, results=rows)


@router.post("/orders", status_code=201)
def place(viewer: CanOrder, orders: OrderService, wanted: NewOrder) -> OrderOut:
    """Order tests or an imaging study."""
    return OrderOut.model_validate(orders.place(wanted))


@router.get("/orders/{key}")
def show(viewer: CanRead, orders: OrderService, key: int) -> OrderOut:
    """One order."""
    return OrderOut.model_validate(orders.get(key))


@router.post("/orders/{key}/cancel")
def cancel(viewer: CanOrder, orders: OrderService, key: int, wanted: Reason) -> OrderOut:
    """Cancel an order without results."""
    return OrderOut.model_validate(orders.cancel(key, wanted.reason))


@router.post("/orders/{key}/results", status_code=201)
def write(viewer: CanWriteResults, db: Db, results: ResultService, key: int, wanted: Results) -> ReportOut:
    """Write results by hand."""
    return _report(db, results.write(key, wanted))


@router.get("/results/{key}")
def report(viewer: CanReadResults, db: Db, results: ResultService, key: int) -> ReportOut:
    """One report with its values."""
    found = results.report(key)
    audit(db, "report.opened", object_table="diagnostic_report", object_id=key)
    return _report(db, found)


@router.post("/results/{key}/confirm")
def confirm(viewer: CanWriteResults, db: Db, results: ResultService, key: int) -> ReportOut:
    """Make a preliminary report final."""
    return _report(db, results.confirm(key))


@router.post("/results/{key}/void")
def void(viewer: CanWriteResults, db: Db, results: ResultService, key: int, wanted: Reason) -> ReportOut:
    """Mark a report as entered in error."""
    return _report(db, results.void(key, wanted.reason))
