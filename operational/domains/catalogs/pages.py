"""Screens of the directories: the list of directories, one directory, and the options of pickers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from kmis.clock import local_date
from operational.domains.catalogs import service
from operational.domains.catalogs.permissions import CanRead
from operational.domains.catalogs.service import DirectoryInfo, Found
from operational.domains.identity.asking import clock_of
from operational.web.database import Db
from operational.web.forms import Form
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery
from operational.web.nav import NavItem
from operational.web.shell import Option, render, render_options
from operational.web.texts import translate

router = APIRouter(include_in_schema=False)
NAV = [NavItem("catalogs.nav", "/catalogs", "catalogs.read", icon="book", order=80)]
PICKERS = ("icd10", "services", "medicines", "operations", "lab_tests")
OWN_COLUMNS = ("kato", "service_tariff", "lab_reference_interval")


@dataclass(frozen=True, slots=True)
class DirectoriesPage:
    """All directories with their editions."""

    directories: Sequence[DirectoryInfo]
    columns: Sequence[Column]


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """One directory: its edition and a page of its entries. ``kind`` names the columns of a row."""

    directory: DirectoryInfo
    kind: str
    columns: Sequence[Column]
    page: ListPage[Any]


@router.get("/catalogs", response_class=HTMLResponse)
def directories(request: Request, viewer: CanRead, db: Db) -> HTMLResponse:
    columns = [
        Column("catalogs.column.directory"), Column("catalogs.column.status"),
        Column("catalogs.column.version", narrow=True), Column("catalogs.column.source", narrow=True),
        Column("catalogs.column.entries", numeric=True),
    ]  # fmt: skip
    return render(request, "catalogs/directories.html", DirectoriesPage(service.directory_list(db), columns))


@router.get("/catalogs/{code}", response_class=HTMLResponse)
@router.post("/catalogs/{code}", response_class=HTMLResponse)
def directory(code: str, request: Request, viewer: CanRead, db: Db, query: ListQuery) -> HTMLResponse:
    info = service.directory_info(db, code)
    rows, total = service.entries(db, code, query.query, query.size, query.offset)
    kind = code if code in OWN_COLUMNS else "large" if code in service.MODELS else "small"
    page = DirectoryPage(info, kind, _columns(kind), ListPage(rows, total, query))
    return render(request, "catalogs/directory.html", page)


def _columns(kind: str) -> list[Column]:
    columns = [Column("catalogs.column.code"), Column("catalogs.column.name_kk"), Column("catalogs.column.name_ru")]
    if kind == "service_tariff":
        columns += [
            Column("catalogs.column.amount", numeric=True), Column("catalogs.column.valid_from"),
            Column("catalogs.column.valid_to"),
        ]  # fmt: skip
    elif kind == "lab_reference_interval":
        columns += [
            Column("catalogs.column.sex"), Column("catalogs.column.age_days"),
            Column("catalogs.column.interval", numeric=True), Column("catalogs.column.note", narrow=True),
        ]  # fmt: skip
    else:
        columns.append(Column("catalogs.column.state", narrow=True))
    return columns


@router.post("/catalogs/{picker}/options", response_class=HTMLResponse)
def options(picker: str, request: Request, viewer: CanRead, db: Db, form: Form) -> HTMLResponse:
    """What a picker offers for the text typed so far."""
    text = form.get("q", "")[:200]
    found: list[Found]
    if picker == "icd10":
        found = service.search_icd10(db, text)
    elif picker == "services":
        today = local_date(clock_of(request).now(), request.app.state.settings.zone)
        found = service.search_services(db, text, today)
    elif picker == "medicines":
        found = service.search_medicines(db, text)
    elif picker == "operations":
        found = service.search_operations(db, text)
    elif picker == "lab_tests":
        found = service.search_lab_tests(db, text)
    else:
        service.directory_info(db, picker)
        found = _small(db, picker, text)
    language = language_of(request)
    return render_options(request, [_option(entry, language) for entry in found])


def _small(db: Db, directory_code: str, text: str) -> list[Found]:
    rows, _ = service.entries(db, directory_code, text, service.LIMIT, 0)
    return [Found(row.code, row.name_ru, row.name_kk) for row in rows]


def _option(entry: Found, language: str) -> Option:
    notes = []
    if language == "kk" and entry.untranslated_flag:
        notes.append(translate(language, "catalogs.untranslated"))
    if entry.tariff_kzt is not None:
        notes.append(f"{entry.tariff_kzt:.0f} ₸")
    return Option(entry.code, f"{entry.code} {entry.name(language)}", " · ".join(notes))
