"""All commands in one application; each group of commands lives in a module of its own."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from kmis import cli_lake
from kmis.cli import bench, exports, life, requirements, sheets, users
from kmis.postgres import ServerError
from kmis.settings import StoreNotStarted
from kmis.supervisor import AlreadyRunning

app = typer.Typer(
    name="kmis", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="KMIS: operational store, lake, dashboards and unloads of a district's medical information system.",
)  # fmt: skip
life.register(app)
cli_lake.register(app)
exports.register(app)
requirements.register(app)
bench.register(app)
sheets.register(app)
app.add_typer(users.app, name="user")


def main() -> None:
    """Run a command; an expected failure is one line on the error stream and exit code 2."""
    try:
        app()
    except (ServerError, StoreNotStarted, AlreadyRunning) as error:
        Console(stderr=True).print(f"[red]kmis:[/red] {error}", highlight=False)
        sys.exit(2)
