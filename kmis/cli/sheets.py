"""``kmis sheet``: a signal sheet of the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from kmis.catalogue.loader import catalogue
from kmis.catalogue.models import LANGUAGES, Product
from kmis.settings import get_settings

KIND = "signal_sheet"


def sheets() -> tuple[Product, ...]:
    """The signal sheets of the catalogue."""
    return tuple(product for product in catalogue().products if str(product.kind) == KIND)


def sheet(
    product_id: Annotated[str, typer.Argument(metavar="ID", help="Identifier of the signal sheet.")],
    language: Annotated[str | None, typer.Option(help="kk or ru; unset: the installation's.")] = None,
) -> None:
    """Print a signal sheet of the catalogue with its passport. Exit 2 when there is none of that id."""
    tongue = next((known for known in LANGUAGES if known == (language or get_settings().language)), None)
    if tongue is None:
        raise typer.BadParameter("--language is kk or ru")
    known = sheets()
    found = next((product for product in known if product.id == product_id), None)
    if found is None:
        names = ", ".join(product.id for product in known) or "none"
        Console(stderr=True).print(f"kmis: no signal sheet {product_id}; known are: {names}", highlight=False)
        raise typer.Exit(2)
    console = Console(highlight=False)
    console.print(f"{found.id}  {found.titles.text(tongue)}")
    passport = found.passport.text(tongue)
    for name in type(passport).model_fields:
        console.print(f"  {name}: {getattr(passport, name)}", soft_wrap=True)


def register(app: typer.Typer) -> None:
    app.command()(sheet)
