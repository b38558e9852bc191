"""Commands of the lake: ``refresh``, ``reconcile``, ``verify``, ``writer``. ``kmis.cli`` adds them to its own."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from kmis.clock import SystemClock
from kmis.postgres import server_running
from kmis.settings import Settings, get_settings

if TYPE_CHECKING:
    from pipelines.lib.records import Kind
    from pipelines.lib.requests import Answer

app = typer.Typer(no_args_is_help=True, help="The lake and its writer.")


def register(parent: typer.Typer) -> None:
    """Adds the commands to the given application, without a group of their own."""
    parent.command("refresh")(refresh)
    parent.command("reconcile")(reconcile)
    parent.command("verify")(verify)
    parent.command("writer")(writer)


@app.command()
def refresh(
    rebuild: bool = typer.Option(False, help="Make every model anew from bronze."),
    maintain: bool = typer.Option(False, help="Compact the lake's files and expire old snapshots instead."),
) -> None:
    """Bring what was saved into the figures: one pass, by the running writer or by this process."""
    from pipelines.lib.errors import PassRefused

    kind: Kind = "maintenance" if maintain else "rebuild" if rebuild else "refresh"
    try:
        answer = one_pass(get_settings(), lambda step: typer.echo(f"  {step}"), kind)
    except PassRefused as error:
        typer.echo(f"refresh failed: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(
        f"{answer.state}: {answer.feed_rows} feed entries, {answer.models} models,"
        f" snapshot {answer.snapshot_id}, watermark {answer.watermark_xid}"
    )


def one_pass(settings: Settings, progress: Callable[[str], None], kind: Kind = "refresh") -> Answer:
    """Has one pass made, by the running writer or by this process. Raises PassRefused with the reason."""
    from pipelines.lib.asset_events import AssetReporter
    from pipelines.lib.requests import ask

    with server_running(settings), contextlib.closing(AssetReporter(settings)) as reporter:
        return ask(settings, SystemClock(), reporter, kind, progress=progress)


@app.command()
def reconcile() -> None:
    """Compare every fact in PostgreSQL and in gold at the same watermark; exit 1 on any difference, 2 before a pass."""
    import duckdb

    from pipelines.lib.compiled import compiled_project
    from pipelines.lib.dbt_runner import DbtRunner
    from pipelines.lib.errors import PassRefused
    from pipelines.lib.readers import open_reader
    from pipelines.lib.reconcile import reconcile as compare

    settings = get_settings()
    try:
        with server_running(settings):
            with open_reader(settings) as reader:
                project = compiled_project(DbtRunner(settings, reader.instance, target="checks"))
            result = compare(settings, project, SystemClock())
    except PassRefused as error:
        typer.echo(f"reconcile: {error}", err=True)
        raise typer.Exit(1) from None
    except duckdb.InvalidInputException as error:
        if "does not exist" not in str(error):
            raise
        typer.echo("kmis: nothing is published yet: run `kmis refresh`", err=True)
        raise typer.Exit(2) from None
    except duckdb.IOException as error:
        typer.echo(f"reconcile: the lake cannot be read: {str(error).splitlines()[0]}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"snapshot {result.snapshot_id}, watermark {result.watermark_xid}")
    head = ("fact", "PostgreSQL", "gold", "total PostgreSQL", "total gold", "")
    rows = [head] + [
        (
            fact.fact,
            str(fact.source_count),
            str(fact.gold_count),
            f"{fact.source_total:f}",
            f"{fact.gold_total:f}",
            "ok" if fact.equal else "DIFFERENT",
        )
        for fact in result.facts
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        typer.echo("  ".join(cells))
    if result.synthetic:
        typer.echo(f"not compared: {result.synthetic} synthetic rows of the other districts, which only the lake holds")
    if not result.equal:
        raise typer.Exit(1)


@app.command()
def verify() -> None:
    """Compare bronze with the feed and every model with its rebuild; exit 1 on any difference."""
    import duckdb

    from pipelines.lib.errors import PassRefused
    from pipelines.lib.verify import verify as verify_all

    settings = get_settings()
    try:
        with server_running(settings):
            result = verify_all(settings)
    except PassRefused as error:
        typer.echo(f"verify: {error}", err=True)
        raise typer.Exit(1) from None
    except duckdb.IOException as error:
        typer.echo(f"verify: the lake cannot be read: {str(error).splitlines()[0]}", err=True)
        raise typer.Exit(1) from None
    for finding in result.findings:
        if not finding.ok:
            grade = "DIFFERENT" if finding.fails else "warning"
            typer.echo(f"{grade}: {finding.subject}: {finding.what}: {finding.differences} rows")
    typer.echo(f"snapshot {result.snapshot_id}: {len(result.findings)} comparisons, {'ok' if result.ok else 'failed'}")
    if not result.ok:
        raise typer.Exit(1)


@app.command()
def writer() -> None:
    """Run the lake's only writer until it is stopped (`kmis up` starts it)."""
    from pipelines.lib.asset_events import AssetReporter
    from pipelines.lib.errors import PassRefused
    from pipelines.lib.writer import run_writer

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # Dagster's own database is made by Alembic, whose steps would bury what the writer says.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    settings = get_settings()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    reporter = AssetReporter(settings)
    try:
        run_writer(settings, reporter, stop)
    except PassRefused as error:
        typer.echo(f"writer: {error}", err=True)
        raise typer.Exit(1) from None
    finally:
        reporter.close()
