"""Server-rendered boards and lists of the catalogue, light enough for a slow line, and the user's files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse
from starlette.responses import Response

from exports.order import MEDIA_TYPES
from kmis.catalogue.models import Dimension, Language, Measure, Product
from kmis.query import Breakdown, Figures, Label, Published, RowPage, Selection, SelectionError
from kmis.query.contract import Cell
from operational.domains.monitoring import repository, service
from operational.domains.monitoring.asking import Query, refusals, scope_of, snapshot_of
from operational.domains.monitoring.permissions import ROWS, CanUnload, CanView
from operational.domains.monitoring.signals import pages as signals
from operational.domains.monitoring.status import pages as status
from operational.kit.audit import audit
from operational.kit.errors import NotFound
from operational.kit.models import UnloadLog
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.formats import format_date, format_moment, format_number
from operational.web.forms import Form
from operational.web.language import language_of
from operational.web.listing import Column, ListPage, ListQuery
from operational.web.nav import NavItem, Tile
from operational.web.shell import render, see_other

router = APIRouter(include_in_schema=False)
router.include_router(signals.router)
router.include_router(status.router)
PAGE = 50


@dataclass(frozen=True, slots=True)
class ProductsPage:
    """The products that are in force today."""

    products: Sequence[Product]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the drill path: what it is called and the address that goes back to it."""

    title: str
    url: str | None


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One product at one selection and one snapshot. ``pinned`` is the address that stays at that snapshot."""

    product: Product
    selection: Selection
    address: str
    pinned: str
    figures: Figures
    shown: Sequence[Measure]
    steps: Sequence[Step]
    levels: Sequence[Dimension]
    level: Dimension | None
    breakdown: Breakdown | None
    behind: Measure | None
    row_columns: Sequence[Column]
    rows: ListPage[tuple[Cell, ...]] | None
    snapshot: Published
    newest: Published
    passport: Sequence[tuple[str, str]]
    may_rows: bool
    drill: Callable[[str, str], str]
    opens: Callable[[Measure], bool]
    number_text: Callable[[float | None, int], str]
    cell_text: Callable[[Cell], str]


@dataclass(frozen=True, slots=True)
class FilesPage:
    """The user's files."""

    rows: Sequence[UnloadLog]
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class FilePage:
    """One order and how far it is."""

    row: UnloadLog


@router.get("/boards", response_class=HTMLResponse)
def products(request: Request, viewer: CanView, query: Query) -> HTMLResponse:
    today = query.today()
    return render(request, "monitoring/products.html", ProductsPage(query.catalogue.on(today)))


@router.get("/boards/{product_id}", response_class=HTMLResponse)
@router.post("/boards/{product_id}", response_class=HTMLResponse)
def product(request: Request, viewer: CanView, db: Db, query: Query, product_id: str, asked: ListQuery) -> HTMLResponse:
    """GET shows a selection; POST searches and pages its rows, so that no name stands in an address."""
    pairs = request.query_params.multi_items()
    with refusals():
        found = query.catalogue.product(product_id)
        selection = Selection.from_query(pairs, query.default_selection(product_id))
        newest = query.current()
        wanted = request.query_params.get("snapshot", "")
        snapshot = snapshot_of(query, wanted) if wanted else newest
        scope = scope_of(viewer)
        number = snapshot.snapshot_id
        figures = query.figures(product_id, selection, scope, number)
        levels = query.next_levels(product_id, selection)
        named = request.query_params.get("level", "")
        level = next((item for item in levels if item.name == named), levels[0] if levels else None)
        breakdown = query.breakdown(product_id, selection, level.name, scope, number) if level else None
        language = language_of(request)
        tongue: Language = "kk" if language == "kk" else "ru"
        behind = _behind(found, request.query_params.get("measure", ""))
        listed = None
        if viewer.can(ROWS) and (level is None or "rows" in request.query_params):
            listed = query.rows(
                product_id, selection, scope, number, tongue, page=asked.page, page_size=PAGE, sort=asked.sort or None,
                descending=asked.descending, search=asked.query or None, measure=behind.name if behind else None,
            )  # fmt: skip
        labels = query.path_labels(product_id, selection, scope, number)
    if listed is not None:
        opened = {
            "product": product_id, "snapshot": number, "identifiers": scope.show_identifiers,
            "measure": behind.name if behind else None,
        }  # fmt: skip
        audit(db, "figure.rows_opened", detail=opened)
    passport = found.passport.text(tongue)
    page = ProductPage(
        product=found,
        selection=selection,
        address=_address(selection, snapshot.snapshot_id if selection.path or wanted else None),
        pinned=_address(selection, number),
        figures=figures,
        shown=found.shown_measures,
        steps=_steps(product_id, selection, labels, language, snapshot.snapshot_id),
        levels=levels,
        level=level,
        breakdown=breakdown,
        behind=behind,
        row_columns=_columns(listed, tongue) if listed else (),
        rows=ListPage(listed.rows, listed.found, replace(asked, size=PAGE)) if listed else None,
        snapshot=snapshot,
        newest=newest,
        passport=[(name, str(getattr(passport, name))) for name in type(passport).model_fields],
        may_rows=viewer.can(ROWS),
        drill=lambda name, key: _address(selection.drill(name, key), number),
        opens=lambda measure: viewer.can(ROWS) and not (measure.derived and measure.numerator is None),
        number_text=format_number,
        cell_text=lambda cell: cell_text(cell, request.app.state.settings.timezone),
    )
    return render(request, "monitoring/product.html", page, partial="monitoring/_product.html")


def _behind(product: Product, name: str) -> Measure | None:
    """The shown figure whose rows are asked for. Raises SelectionError for a name that the product does not have."""
    if not name:
        return None
    measure = next((measure for measure in product.shown_measures if measure.name == name), None)
    if measure is None:
        raise SelectionError({"measure": "selection.measure_unknown"})
    return measure


def _columns(page: RowPage, language: Language) -> list[Column]:
    numbers = ("integer", "number", "money")
    return [
        Column("", sort=column.name, numeric=column.type in numbers, title=column.titles.text(language))
        for column in page.columns
    ]


def _address(selection: Selection, snapshot: int | None) -> str:
    pairs = [*selection.pairs(), *([("snapshot", str(snapshot))] if snapshot is not None else [])]
    return urlencode(pairs)


def _steps(product_id: str, selection: Selection, labels: Sequence[Label], language: str, snapshot: int) -> list[Step]:
    steps = [Step("", f"/boards/{product_id}?{_address(selection.up(0), None)}")]
    for place, label in enumerate(labels, start=1):
        last = place == len(labels)
        url = None if last else f"/boards/{product_id}?{_address(selection.up(place), snapshot)}"
        steps.append(Step(label.marked("kk" if language == "kk" else "ru"), url))
    return steps


def cell_text(cell: Cell, zone: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        # Rows carry the clock of the organisation already; only a moment with a zone is still to be put on it.
        return format_moment(cell, zone) if cell.tzinfo else f"{cell:%d.%m.%Y %H:%M}"
    if isinstance(cell, date):
        return format_date(cell, zone)
    if isinstance(cell, bool):
        return "1" if cell else "0"
    return format_number(cell, 2) if isinstance(cell, float) else str(cell)


@router.post("/unloads")
def order(request: Request, viewer: CanUnload, db: Db, query: Query, form: Form) -> Response:
    pairs = parse_qsl(form.get("selection", ""), keep_blank_values=True)
    snapshot = dict(pairs).get("snapshot", form.get("snapshot", ""))
    with refusals():
        selection = Selection.from_query(pairs)
        number = snapshot_of(query, snapshot).snapshot_id
    row = service.order(
        db, query, viewer, form.get("product", ""), selection, number,
        form.get("format", "xlsx"), "kk" if language_of(request) == "kk" else "ru",
    )  # fmt: skip
    return see_other(request, f"/unloads/{row.id}", Flash("monitoring.ordered", "info"))


@router.get("/unloads", response_class=HTMLResponse)
@router.post("/unloads/list", response_class=HTMLResponse)
def files(request: Request, viewer: CanUnload, db: Db, asked: ListQuery) -> HTMLResponse:
    rows, total = repository.unloads(db, viewer.user_id, limit=asked.size, offset=asked.offset)
    return render(request, "monitoring/files.html", FilesPage(rows, asked.page, max(1, -(-total // asked.size))))


@router.get("/unloads/{key}", response_class=HTMLResponse)
def file_page(request: Request, viewer: CanUnload, db: Db, key: int) -> HTMLResponse:
    row = repository.unload(db, key, viewer.user_id)
    if row is None:
        raise NotFound()
    return render(request, "monitoring/file.html", FilePage(row), partial="monitoring/_file.html")


@router.get("/unloads/{key}/file")
def download(request: Request, viewer: CanUnload, db: Db, key: int) -> FileResponse:
    row, path = service.file_of(db, request.app.state.settings, viewer, key)
    media = MEDIA_TYPES[path.suffix.removeprefix(".")]
    return FileResponse(path, media_type=media, filename=row.file_name, headers={"Cache-Control": "no-store"})


NAV: list[Any] = [
    *signals.NAV,
    *status.NAV,
    NavItem("monitoring.nav", "/boards", "analytics.read", icon="chart", order=50, shortcut="a"),
    NavItem("monitoring.nav_files", "/unloads", "exports.make", icon="download", order=55, shortcut="u"),
]
PANELS: list[Any] = signals.PANELS
TILES: list[Any] = [
    *signals.TILES,
    *status.TILES,
    Tile("monitoring.tile_live", "/boards/LIVE-04", "analytics.read", icon="chart", order=5,
         hint_key="monitoring.tile_live_hint"),
    Tile("monitoring.nav", "/boards", "analytics.read", icon="chart", order=50, hint_key="monitoring.tile_hint"),
    Tile("monitoring.nav_files", "/unloads", "exports.make", icon="download", order=55,
         hint_key="monitoring.tile_files"),
]  # fmt: skip
