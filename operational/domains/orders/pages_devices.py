"""Screens of devices: list, form, names of tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from kmis.clock import local_date
from operational.domains.catalogs.models import LabTest
from operational.domains.orders import repository as orders
from operational.domains.orders import views
from operational.domains.orders.inbox import devices, repository
from operational.domains.orders.models import Device, DeviceTestCode
from operational.domains.orders.permissions import CanManageDevices
from operational.domains.orders.schemas import DeviceForm, MappingForm
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form, FormValues, parse
from operational.web.language import language_of
from operational.web.listing import Column
from operational.web.nav import NavItem
from operational.web.shell import render, rerender_on_error, see_other
from operational.web.texts import translate
from operational.web.viewer import Viewer

router = APIRouter(include_in_schema=False)
KINDS = ("modality", "analyser", "laboratory_system")
PROTOCOLS = ("dicom", "hl7v2")
COLUMNS = (
    Column("devices.column.name"),
    Column("devices.column.kind", narrow=True),
    Column("devices.column.address"),
    Column("devices.column.organisation", narrow=True),
    Column("devices.column.state"),
)


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A device in the list."""

    device: Device
    organisation: str


@dataclass(frozen=True, slots=True)
class DevicesPage:
    """All devices of the user's organisations."""

    columns: Sequence[Column]
    rows: Sequence[DeviceLine]


@dataclass(frozen=True, slots=True)
class DevicePage:
    """A device with its form and, of an analyser, the names it has for tests."""

    device: Device | None
    options: dict[str, list[tuple[Any, str]]]
    mappings: Sequence[tuple[DeviceTestCode, LabTest]]
    unmapped: Sequence[tuple[str, str | None, int]]
    values: dict[str, str]
    errors: dict[str, str]


def _options(request: Request, db: Session, viewer: Viewer) -> dict[str, list[tuple[Any, str]]]:
    language = language_of(request)
    kazakh = language == "kk"
    day = local_date(request.app.state.clock.now(), request.app.state.settings.zone)
    return {
        "organisation_id": [
            (key, row.name_kk if kazakh else row.name_ru)
            for key, row in orders.performers(db, day)
            if key in viewer.organisation_ids
        ],
        "department_id": [
            (row.id, row.name_kk if kazakh else row.name_ru)
            for row in orders.departments(db, viewer.organisation_ids, day)
        ],
        "kind": [(code, translate(language, f"devices.kind.{code}")) for code in KINDS],
        "protocol": [(code, translate(language, f"devices.protocol.{code}")) for code in PROTOCOLS],
        "modality": [
            (code, views.localized(row, language)) for (_, code), row in orders.coded_names(db, "modality").items()
        ],
    }


def _page(request: Request, db: Session, viewer: Viewer, key: int | None, form: FormValues | None = None) -> DevicePage:
    device = devices.get(db, key) if key is not None else None
    stored = {
        name: str(value) for name in DeviceForm.model_fields if (value := getattr(device, name, None)) is not None
    }
    hl7 = device is not None and device.protocol == "hl7v2"
    return DevicePage(
        device=device,
        options=_options(request, db, viewer),
        mappings=repository.mappings(db, device.id) if device and hl7 else [],
        unmapped=repository.unmapped_codes(db, device.id) if device and hl7 else [],
        values={**stored, **(form or {})},
        errors={},
    )


@router.get("/devices", response_class=HTMLResponse)
def listing(request: Request, viewer: CanManageDevices, db: Db) -> HTMLResponse:
    names = dict(_options(request, db, viewer)["organisation_id"])
    rows = [
        DeviceLine(row, names.get(row.organisation_id, "—")) for row in repository.devices(db, viewer.organisation_ids)
    ]
    return render(request, "orders/devices.html", DevicesPage(COLUMNS, rows))


@router.get("/devices/new", response_class=HTMLResponse)
def new(request: Request, viewer: CanManageDevices, db: Db) -> HTMLResponse:
    return render(request, "orders/device.html", _page(request, db, viewer, None))


@router.post("/devices/new")
def register(request: Request, viewer: CanManageDevices, db: Db, form: Form) -> Response:
    rerender_on_error(request, "orders/device.html", _page(request, db, viewer, None, form))
    device = devices.save(db, parse(DeviceForm, form))
    return see_other(request, f"/devices/{device.id}", Flash("devices.saved"))


@router.get("/devices/{key:int}", response_class=HTMLResponse)
def show(request: Request, viewer: CanManageDevices, db: Db, key: int) -> HTMLResponse:
    return render(request, "orders/device.html", _page(request, db, viewer, key))


@router.post("/devices/{key:int}")
def change(request: Request, viewer: CanManageDevices, db: Db, form: Form, key: int) -> Response:
    rerender_on_error(request, "orders/device.html", _page(request, db, viewer, key, form))
    devices.save(db, parse(DeviceForm, form), key)
    return see_other(request, f"/devices/{key}", Flash("devices.saved"))


@router.post("/devices/{key:int}/off")
def switch_off(request: Request, viewer: CanManageDevices, db: Db, key: int) -> Response:
    devices.switch(db, key, active=False)
    return see_other(request, f"/devices/{key}", Flash("devices.off", "info", undo_url=f"/devices/{key}/on"))


@router.post("/devices/{key:int}/on")
def switch_on(request: Request, viewer: CanManageDevices, db: Db, key: int) -> Response:
    devices.switch(db, key, active=True)
    return see_other(request, f"/devices/{key}", Flash("devices.on"))


@router.post("/devices/{key:int}/codes")
def map_code(request: Request, viewer: CanManageDevices, db: Db, form: Form, key: int) -> Response:
    rerender_on_error(request, "orders/device.html", _page(request, db, viewer, key, form))
    filled = devices.map_code(db, request.app.state.settings.zone, key, parse(MappingForm, form))
    return see_other(request, f"/devices/{key}#codes", Flash("devices.mapped", params={"n": filled}))


NAV: list[Any] = [NavItem("devices.nav", "/devices", "devices.manage", icon="settings", order=85)]
