"""Screens of orders: list, new, one order, accompanying sheet. Results, images, inbox, devices stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from kmis.clock import local_date
from operational.domains.catalogs import repository as catalogs
from operational.domains.catalogs.models import Icd10, LabTest
from operational.domains.catalogs.models import Service as CatalogService
from operational.domains.orders import (
    barcode,
    pages_devices,
    pages_images,
    pages_inbox,
    pages_results,
    repository,
    views,
)
from operational.domains.orders.models import DiagnosticOrder, DiagnosticReport, ImagingStudy
from operational.domains.orders.permissions import CanOrder, CanRead
from operational.domains.orders.repository import OrderFilter
from operational.domains.orders.schemas import NewOrder
from operational.domains.orders.service import Orders
from operational.domains.organisation.models import OrganisationVersion, Practitioner
from operational.domains.patients import repository as patients
from operational.domains.patients.models import Patient
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form, FormValues, parse
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery
from operational.web.nav import NavItem, Tile
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.texts import translate
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)
for part in (pages_results, pages_images, pages_inbox, pages_devices):
    router.include_router(part.router)

COLUMNS = (
    Column("orders.column.ordered", sort="ordered"),
    Column("orders.column.patient", sort="patient"),
    Column("orders.column.what", narrow=True),
    Column("orders.column.number", sort="number", narrow=True),
    Column("orders.column.status"),
    Column("orders.column.scheduled", sort="scheduled", narrow=True),
)
SORTS = ("ordered", "patient", "number", "scheduled")
FILTERS = ("category", "status", "priority", "modality", "department_id", "date_from", "date_to")


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An order in a list."""

    order: DiagnosticOrder
    patient: Patient
    name: str
    what: str
    tone: str


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """The list of orders with what it is narrowed to."""

    columns: Sequence[Column]
    page: ListPage[OrderLine]
    chosen: dict[str, str]
    options: dict[str, list[tuple[Any, str]]]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class NewOrderPage:
    """An order that is being made for a patient."""

    patient: Patient
    name: str
    category: str
    panels: Sequence[views.PanelGroup]
    chosen_tests: frozenset[str]
    chosen_panels: frozenset[str]
    options: dict[str, list[tuple[Any, str]]]
    values: dict[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One order with its tests, reports and studies."""

    order: DiagnosticOrder
    patient: Patient
    name: str
    what: str
    tone: str
    tests: Sequence[LabTest]
    reports: Sequence[tuple[DiagnosticReport, Sequence[views.ValueLine]]]
    report_tones: dict[str, str]
    studies: Sequence[ImagingStudy]
    missing: Sequence[LabTest]
    performer: OrganisationVersion | None
    orderer: OrganisationVersion | None
    doctor: Practitioner | None
    icd10: Icd10 | None
    service: CatalogService | None
    specimens: dict[str, str]
    bars: Sequence[tuple[int, int]]
    bars_width: int
    may_order: bool
    values: dict[str, str]
    errors: dict[str, str]


def service(request: Request, db: Db) -> Orders:
    return Orders(db, request.app.state.clock, request.app.state.settings.zone)


Service = Annotated[Orders, Depends(service)]


def _texts(request: Request, prefix: str, codes: Sequence[str]) -> list[tuple[Any, str]]:
    """Codes with their texts, for a select."""
    return [(code, translate(language_of(request), f"{prefix}.{code}")) for code in codes]


def _options(request: Request, db: Session, organisation_ids: frozenset[int]) -> dict[str, list[tuple[Any, str]]]:
    language = language_of(request)
    day = local_date(request.app.state.clock.now(), request.app.state.settings.zone)
    coded = repository.coded_names(db, "modality", "body_part")
    found: dict[str, list[tuple[Any, str]]] = {
        name: [(code, views.localized(row, language)) for (kind, code), row in coded.items() if kind == name]
        for name in ("modality", "body_part")
    }
    found["category"] = _texts(request, "orders.category", views.CATEGORIES)
    found["status"] = _texts(request, "orders.status", views.STATUSES)
    found["priority"] = _texts(request, "orders.priority", views.PRIORITIES)
    kazakh = language == "kk"
    found["department_id"] = [
        (row.id, row.name_kk if kazakh else row.name_ru) for row in repository.departments(db, organisation_ids, day)
    ]
    performers = repository.performers(db, day)
    found["performing_organisation_id"] = [(key, row.name_kk if kazakh else row.name_ru) for key, row in performers]
    found["station_aet"] = [
        (row.address, f"{row.address} · {row.name_kk if kazakh else row.name_ru}")
        for row in repository.stations(db, [key for key, _ in performers])
    ]
    return found


@router.get("/orders", response_class=HTMLResponse)
@router.post("/orders", response_class=HTMLResponse)
def listing(request: Request, viewer: CanRead, db: Db, query: ListQuery) -> HTMLResponse:
    """The list; searched and narrowed by POST."""
    language, zone = language_of(request), request.app.state.settings.zone
    chosen = {name: query.filters.get(name, "") for name in FILTERS}
    page = OrdersPage(
        COLUMNS, ListPage([], 0, query.settled(SORTS)), chosen, _options(request, db, viewer.organisation_ids), {}
    )
    rerender_on_error(request, "orders/orders.html", page)
    until = views.day_bound(chosen["date_to"], zone, "date_to")
    wanted = OrderFilter(
        text=query.query, category=chosen["category"], status=chosen["status"], priority=chosen["priority"],
        modality=chosen["modality"],
        department_id=int(chosen["department_id"]) if chosen["department_id"].isdecimal() else None,
        ordered_from=views.day_bound(chosen["date_from"], zone, "date_from"),
        ordered_to=until + timedelta(days=1) if until else None,
    )  # fmt: skip
    settled = query.settled(SORTS) if query.sort else replace(query, sort="ordered", descending=True)
    today = local_date(request.app.state.clock.now(), zone)
    rows, total = repository.orders(
        db, wanted, today, sort=settled.sort, descending=settled.descending, offset=query.offset, limit=query.size
    )
    tests = repository.tests(db, [row.id for row, _ in rows])
    coded = repository.coded_names(db, "modality", "body_part")
    lines = [
        OrderLine(
            row, patient, views.full_name(patient), views.title_of(row, tests.get(row.id, []), coded, language),
            views.ORDER_TONES[row.status],
        )
        for row, patient in rows
    ]  # fmt: skip
    return render(request, "orders/orders.html", replace(page, page=ListPage(lines, total, settled)))


def _new_page(request: Request, db: Session, viewer: Viewer, values: FormValues | dict[str, str]) -> NewOrderPage:
    key = values.get("patient_id", "")
    patient = patients.get(db, int(key)) if key.isdecimal() else None
    if patient is None or patient.voided_at is not None:
        raise NotFound("patient_id")
    lists: dict[str, list[str]] = getattr(values, "lists", {})
    category = values.get("category", "laboratory")
    options = _options(request, db, viewer.organisation_ids)
    if viewer.home_organisation_id is not None and "performing_organisation_id" not in values:
        values = {**values, "performing_organisation_id": str(viewer.home_organisation_id)}
    return NewOrderPage(
        patient=patient,
        name=views.full_name(patient),
        category=category if category in views.CATEGORIES else "laboratory",
        panels=views.panels(db, catalogs.lab_tests(db), language_of(request)),
        chosen_tests=frozenset(lists.get("tests", [])),
        chosen_panels=frozenset(lists.get("panels", [])),
        options=options,
        values=dict(values),
        errors={},
    )


@router.get("/orders/new", response_class=HTMLResponse)
def new(
    request: Request, viewer: CanOrder, db: Db, patient: str = "", encounter: str = "", category: str = "laboratory"
) -> HTMLResponse:
    values = {"patient_id": patient, "encounter_id": encounter, "category": category}
    department = repository.encounter_department(db, int(encounter)) if encounter.isdecimal() else None
    if department is not None:
        values["department_id"] = str(department)
    return render(request, "orders/new.html", _new_page(request, db, viewer, values))


@router.post("/orders/new")
def place(request: Request, viewer: CanOrder, db: Db, orders: Service, form: Form) -> Response:
    rerender_on_error(request, "orders/new.html", _new_page(request, db, viewer, form))
    scheduled = views.moment(
        form.get("scheduled_date", ""), form.get("scheduled_time", ""), orders.zone, "scheduled_date"
    )
    order = orders.place(
        parse(
            NewOrder, form, tests=[code for code in form.lists.get("tests", []) if code],
            panels=[code for code in form.lists.get("panels", []) if code], scheduled_at=scheduled,
        )
    )  # fmt: skip
    return see_other(request, f"/orders/{order.id}", Flash("orders.placed"))


def order_page(request: Request, db: Session, viewer: Viewer, key: int, values: FormValues | None = None) -> OrderPage:
    """Everything of one order. Raises NotFound."""
    orders = Orders(db, request.app.state.clock, request.app.state.settings.zone)
    order = orders.get(key)
    patient = patients.get(db, order.patient_id)
    if patient is None:
        raise NotFound()
    language = language_of(request)
    day = local_date(order.ordered_at, orders.zone)
    tests = repository.tests(db, [key]).get(key, [])
    coded = repository.coded_names(db, "modality", "body_part", "lab_specimen")
    reports = repository.reports(db, key, voided=True) if viewer.can("results.read") else []
    lines = views.value_lines(db, [report.id for report in reports], language) if reports else []
    done = {line.row.test_code for line in lines if line.row.voided_at is None}
    bars, width = barcode.bars(order.accession_number)
    return OrderPage(
        order=order,
        patient=patient,
        name=views.full_name(patient),
        what=views.title_of(order, tests, coded, language),
        tone=views.ORDER_TONES[order.status],
        tests=tests,
        reports=[(report, [line for line in lines if line.row.report_id == report.id]) for report in reports],
        report_tones=views.REPORT_TONES,
        studies=repository.studies_of_order(db, key) if viewer.can("imaging.read") else [],
        missing=[test for test in tests if test.code not in done],
        performer=repository.organisation_name(
            db, order.performing_organisation_id or order.owner_organisation_id, day
        ),
        orderer=repository.organisation_name(db, order.owner_organisation_id, day),
        doctor=repository.practitioner(db, order.practitioner_id),
        icd10=next(iter(catalogs.icd10_by_codes(db, [order.icd10_code])), None) if order.icd10_code else None,
        service=next(iter(catalogs.services_by_codes(db, [order.service_code])), None) if order.service_code else None,
        specimens={
            code: views.localized(row, language) for (kind, code), row in coded.items() if kind == "lab_specimen"
        },
        bars=bars,
        bars_width=width,
        may_order=viewer.can("orders.write") and order.owner_organisation_id in viewer.organisation_ids,
        values=dict(values or {}),
        errors={},
    )


@router.get("/orders/{key:int}", response_class=HTMLResponse)
def show(request: Request, viewer: CanRead, db: Db, key: int) -> HTMLResponse:
    return render(request, "orders/order.html", order_page(request, db, viewer, key))


@router.get("/orders/{key:int}/sheet", response_class=HTMLResponse)
def sheet(request: Request, viewer: CanRead, db: Db, key: int) -> HTMLResponse:
    """The accompanying sheet with the number as a barcode."""
    return render(request, "orders/sheet.html", order_page(request, db, viewer, key))


@router.post("/orders/{key:int}/cancel")
def cancel(request: Request, viewer: CanOrder, db: Db, orders: Service, form: Form, key: int) -> Response:
    rerender_on_error(request, "orders/order.html", order_page(request, db, viewer, key, form))
    orders.cancel(key, form.get("reason", ""))
    return see_other(request, f"/orders/{key}", Flash("orders.cancelled", "info"))


@router.post("/orders/{key:int}/restore")
def restore(request: Request, viewer: CanOrder, db: Db, orders: Service, form: Form, key: int) -> Response:
    rerender_on_error(request, "orders/order.html", order_page(request, db, viewer, key, form))
    orders.restore(key, form.get("reason", ""))
    return see_other(request, f"/orders/{key}", Flash("orders.restored"))


NAV: list[Any] = [
    NavItem("orders.nav", "/orders", "orders.read", icon="list", order=40, shortcut="l"),
    *pages_inbox.NAV,
    *pages_devices.NAV,
]
TILES: list[Any] = [
    Tile("orders.nav", "/orders", "orders.read", icon="list", order=40, hint_key="orders.tile"),
    *pages_inbox.TILES,
]
