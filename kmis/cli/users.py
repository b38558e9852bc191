"""Commands on users: ``kmis user add``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from kmis.settings import get_settings

app = typer.Typer(no_args_is_help=True, help="Users of this installation.")
console = Console(highlight=False)


@app.callback()
def users() -> None:
    """Users of this installation."""


@app.command("add")
def add(
    login: Annotated[str, typer.Argument(help="What the user signs in with.")],
    name: Annotated[str, typer.Option(help="Name shown on screens.")],
    role: Annotated[str, typer.Option(help="Code of a role, for instance doctor or chief_physician.")],
    organisation: Annotated[str, typer.Option(help="Code of the organisation; the role holds there and below.")],
    practitioner: Annotated[int | None, typer.Option(help="Number of the member of staff.")] = None,
    language: Annotated[str, typer.Option(help="kk or ru.")] = "kk",
) -> None:
    """Add a user and print the first password, which must be changed at the first sign-in."""
    from operational.domains.identity.commands import add_user, organisation_by_code
    from operational.kit.errors import BusinessError

    settings = get_settings()
    try:
        key = organisation_by_code(settings, organisation)
        _, password = add_user(settings, login, name, role, key, practitioner_id=practitioner, language=language)
    except BusinessError as error:
        console.print(f"refused: {error.message_key} {error.field or ''}")
        raise typer.Exit(1) from None
    console.print(f"{login}: first password {password}")
