"""Directories for programs: search, small directories, territories, editions."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict

from kmis.clock import local_date
from operational.domains.catalogs import repository, service
from operational.domains.catalogs.permissions import CanRead
from operational.domains.identity.asking import clock_of
from operational.web.database import Db

router = APIRouter(prefix="/api/catalogs", tags=["catalogs"])
Text = Annotated[str, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=100)]


class EntryOut(BaseModel):
    """An entry of a large directory."""

    model_config = ConfigDict(from_attributes=True)
    code: str
    name_ru: str
    name_kk: str | None
    name_en: str | None = None
    level: str | None = None
    class_code: str | None = None
    unit: str | None = None
    tariff_kzt: Decimal | None = None
    active: bool
    untranslated_flag: bool


class ValueOut(BaseModel):
    """An entry of a small directory."""

    model_config = ConfigDict(from_attributes=True)
    code: str
    name_kk: str
    name_ru: str
    sort_order: int


class KatoOut(BaseModel):
    """A territory; ``draft`` marks an own temporary code."""

    model_config = ConfigDict(from_attributes=True)
    code: str
    level: str
    parent_code: str | None
    name_ru: str
    name_kk: str | None
    draft: bool


class DirectoryOut(BaseModel):
    """A directory and its edition."""

    model_config = ConfigDict(from_attributes=True)
    code: str
    title_kk: str
    title_ru: str
    status: Literal["official", "draft", "own"]
    version: str
    source: str
    loaded_at: datetime
    entries: int


@router.get("")
def directories(viewer: CanRead, db: Db) -> list[DirectoryOut]:
    """All directories."""
    return [DirectoryOut.model_validate(info) for info in service.directory_list(db)]


@router.get("/icd10")
def icd10(viewer: CanRead, db: Db, q: Text, limit: Limit = 20) -> list[EntryOut]:
    """ICD-10 by code or words."""
    return [EntryOut.model_validate(found) for found in service.search_icd10(db, q, limit=limit)]


@router.get("/services")
def services(
    request: Request, viewer: CanRead, db: Db, q: Text, class_code: Annotated[list[str] | None, Query()] = None,
    on: date | None = None, limit: Limit = 20,
) -> list[EntryOut]:  # fmt: skip
    """Services with the tariff of a day (today)."""
    day = on or local_date(clock_of(request).now(), request.app.state.settings.zone)
    found = service.search_services(db, q, day, class_codes=class_code or (), limit=limit)
    return [EntryOut.model_validate(entry) for entry in found]


@router.get("/medicines")
def medicines(viewer: CanRead, db: Db, q: Text, limit: Limit = 20) -> list[EntryOut]:
    """Medicines by ATC code or name."""
    return [EntryOut.model_validate(found) for found in service.search_medicines(db, q, limit=limit)]


@router.get("/operations")
def operations(viewer: CanRead, db: Db, q: Text, limit: Limit = 20) -> list[EntryOut]:
    """Surgical operations by code or name."""
    return [EntryOut.model_validate(found) for found in service.search_operations(db, q, limit=limit)]


@router.get("/kato")
def kato(viewer: CanRead, db: Db, parent: Annotated[str | None, Query(max_length=9)] = None) -> list[KatoOut]:
    """Territories below a territory; without one, the regions."""
    return [KatoOut.model_validate(row) for row in repository.kato_children(db, parent)]


@router.get("/values/{directory_code}")
def values(directory_code: str, viewer: CanRead, db: Db) -> list[ValueOut]:
    """The entries of a small directory. 404 for an unknown one."""
    service.directory_info(db, directory_code)
    return [ValueOut.model_validate(value) for value in service.values(db, directory_code)]
