"""Commands that make files: ``kmis unload`` and ``kmis report``.

Whoever may run them holds the installation's secrets, so the scope is the whole region.
"""

from __future__ import annotations

import getpass
import shutil
import tempfile
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from psycopg.rows import dict_row
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from exports.order import FORMATS, Format, MadeFile, Order
from exports.pdf import PrintFailed
from exports.printed import TooManyRows
from exports.service import make_unload
from kmis.catalogue.loader import UnknownProduct
from kmis.catalogue.models import LANGUAGES, Language
from kmis.postgres import server_running
from kmis.query import MESSAGES, NothingPublished, QueryError, QueryService, Scope, Selection, SelectionError
from kmis.settings import Settings, get_settings

console = Console(highlight=False)

ProductId = Annotated[str, typer.Argument(help="Identifier of the product, for instance XLS-02.")]
Region = Annotated[str | None, typer.Option(help="Code of the region.")]
Place = Annotated[str | None, typer.Option("--organisation", help="Code of the organisation.")]
First = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d", "%d.%m.%Y"], help="First day.")]
Last = Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d", "%d.%m.%Y"], help="Last day, included.")]
AsOf = Annotated[int | None, typer.Option("--as-of", help="Number of a published snapshot; unset: the newest.")]
Filters = Annotated[list[str] | None, typer.Option("--filter", help="dimension=key; may be repeated.")]
Target = Annotated[Path | None, typer.Option("-o", "--output", help="File or folder; unset: here.")]
Tongue = Annotated[str | None, typer.Option("--language", help="kk or ru; unset: the installation's.")]
Identifiers = Annotated[bool, typer.Option("--identifiers/--no-identifiers", help="With IIN, names and phones.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of both commands."""

    product: str
    format: Format
    first: date
    last: date
    region: str | None
    organisation: str | None
    as_of: int | None
    filters: list[str]
    identifiers: bool


class Refused(typer.BadParameter):
    """An option that cannot be used."""


def unload(
    product: ProductId,
    first: First,
    last: Last,
    region: Region = None,
    organisation: Place = None,
    as_of: AsOf = None,
    filters: Filters = None,
    output: Target = None,
    language: Tongue = None,
    identifiers: Identifiers = True,
) -> None:
    """Make the Excel unload of a product for a region or organisation and a period."""
    wanted = Wanted(product, "xlsx", first.date(), last.date(), region, organisation, as_of, filters or [], identifiers)
    _make(wanted, language, output)


def report(
    product: ProductId,
    first: First,
    last: Last,
    format_: Annotated[str, typer.Option("--format", help="pdf, docx, xlsx or xls.")] = "pdf",
    region: Region = None,
    organisation: Place = None,
    as_of: AsOf = None,
    filters: Filters = None,
    output: Target = None,
    language: Tongue = None,
    identifiers: Identifiers = True,
) -> None:
    """Make the report form of a product as PDF, DOCX, XLSX or XLS."""
    chosen = next((known for known in FORMATS if known == format_), None)
    if chosen is None:
        raise Refused(f"--format is one of {', '.join(FORMATS)}")
    wanted = Wanted(product, chosen, first.date(), last.date(), region, organisation, as_of, filters or [], identifiers)
    _make(wanted, language, output)


def print_day(product: str, day: date) -> None:
    """The printed form of one day, in the installation's language, into the folder of the exports."""
    _make(Wanted(product, "pdf", day, day, None, None, None, [], identifiers=True), None, None)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (unload, report):
        app.command()(command)


def _make(wanted: Wanted, language: str | None, output: Path | None) -> None:
    settings = get_settings()
    tongue = next((known for known in LANGUAGES if known == (language or settings.language)), None)
    if tongue is None:
        raise Refused("--language is kk or ru")
    with server_running(settings):
        service = QueryService(settings)
        try:
            order = _order(settings, service, wanted, tongue)
            made = _with_progress(settings, service, order)
        except SelectionError as error:
            words = (f"{field}: {MESSAGES.get(key, {}).get(tongue, key)}" for field, key in error.errors.items())
            raise Refused("; ".join(words)) from None
        except NothingPublished:
            typer.echo("kmis: nothing is published yet: run `kmis refresh`", err=True)
            raise typer.Exit(2) from None
        except QueryError as error:
            raise Refused(MESSAGES[error.key][tongue]) from None
        except UnknownProduct:
            known = ", ".join(entry.id for entry in service.catalogue.products)
            raise Refused(f"no such product; known are {known}") from None
        except (TooManyRows, PrintFailed) as error:
            raise Refused(error.message(tongue)) from None
        finally:
            service.close()
    try:
        place = _delivered(made, output)
    except OSError as error:
        raise Refused(f"{error.strerror}: the file is made, but stays at {made.path}") from None
    console.print(f"{place}\nsnapshot {order.snapshot}, rows {made.rows}, SHA-256 {made.sha256}", soft_wrap=True)


def _order(settings: Settings, service: QueryService, wanted: Wanted, language: Language) -> Order:
    with psycopg.connect(settings.dsn("kmis_app"), row_factory=dict_row) as store:
        everything = frozenset(int(row["id"]) for row in store.execute("SELECT id FROM organisation").fetchall())
        path = _path(store, wanted.region, wanted.organisation)
    return Order(
        product_id=wanted.product,
        selection=Selection(wanted.first, wanted.last, path, _filters(wanted.filters)),
        scope=Scope(0, everything, wanted.identifiers),
        snapshot=wanted.as_of if wanted.as_of is not None else service.current().snapshot_id,
        language=language,
        user_label=f"kmis ({getpass.getuser()})",
        format=wanted.format,
    )


def _with_progress(settings: Settings, service: QueryService, order: Order) -> MadeFile:
    bar = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*bar, console=console, transient=True) as progress:
        task = progress.add_task(f"{order.product_id} {order.format}", total=None)
        return make_unload(
            settings, service, order, lambda done, total: progress.update(task, completed=done, total=total)
        )


def _delivered(made: MadeFile, output: Path | None) -> Path:
    """Copy the kept file to where the user wants it, whole or not at all."""
    target = output or Path.cwd()
    if target.is_dir() or output is None:
        target = target / made.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as fresh:
        temporary = Path(fresh.name)
    shutil.copyfile(made.path, temporary)
    temporary.replace(target)
    return target


def _path(
    store: psycopg.Connection[dict[str, Any]], region: str | None, organisation: str | None
) -> tuple[tuple[str, str], ...]:
    steps = []
    for dimension, code in (("region", region), ("organisation", organisation)):
        if code is None:
            continue
        row = store.execute("SELECT id FROM organisation WHERE code = %s OR id::text = %s", (code, code)).fetchone()
        if row is None:
            raise Refused(f"--{dimension}: no organisation has the code {code}")
        steps.append((dimension, str(row["id"])))
    return tuple(steps)


def _filters(texts: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in texts:
        dimension, sign, key = entry.partition("=")
        if not sign:
            raise Refused(f"--filter {entry}: write dimension=key")
        found[dimension] = (*found.get(dimension, ()), key)
    return found
