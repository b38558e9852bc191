"""All commands in one application; each group of commands lives in a module of its own."""

from __future__ import annotations

import sys
from typing import NoReturn

import psycopg
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from kmis import cli_lake
from kmis.cli import backup, bench, exports, life, live, requirements, sheets, users
from kmis.postgres import ServerError
from kmis.settings import StoreNotStarted
from kmis.supervisor import AlreadyRunning
from kmis.unfinished import Unfinished

app = typer.Typer(
    name="kmis", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="KMIS: operational store, lake, dashboards and unloads of a district's medical information system.",
)  # fmt: skip
life.register(app)
live.register(app)
cli_lake.register(app)
exports.register(app)
requirements.register(app)
bench.register(app)
sheets.register(app)
backup.register(app)
app.add_typer(users.app, name="user")


def main() -> None:
    """Run a command; an expected failure is one line on the error stream and exit code 2."""
    try:
        app()
    except (ServerError, StoreNotStarted, AlreadyRunning, Unfinished) as error:
        _refuse(str(error))
    except ValidationError as error:
        if error.title != "Settings":
            raise
        _refuse("; ".join(f"KMIS_{str(fault['loc'][0]).upper()}: {fault['msg']}" for fault in error.errors()))
    except psycopg.OperationalError as error:
        # A statement that failed has a state; without one nobody was reached, or the password was refused.
        if error.sqlstate is not None:
            raise
        _refuse(f"PostgreSQL cannot be used: {str(error).splitlines()[0]}")


def _refuse(reason: str) -> NoReturn:
    Console(stderr=True).print(f"[red]kmis:[/red] {escape(reason)}", highlight=False, soft_wrap=True)
    sys.exit(2)
