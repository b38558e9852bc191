"""Commands of an installation's life: up, demo, down, status."""

from __future__ import annotations

import time
from typing import Annotated

import httpx
import psycopg
import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from kmis import supervisor, unfinished
from kmis.cli import live
from kmis.postgres import EmbeddedServer, ServerError, ensure_server, server_in_use
from kmis.settings import Settings, get_settings

HEALTH_TIMEOUT_S = 300.0
console = Console(highlight=False)


def prepare(settings: Settings) -> None:
    """Start the server, make roles and database, run the migrations and load the directories."""
    from operational.domains.catalogs.loader import load_catalogs
    from operational.domains.identity.commands import ensure_roles
    from operational.migrate import migrate

    ensure_server(settings)
    migrate(settings)
    ensure_roles(settings)
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        load_catalogs(connection)


def addresses(settings: Settings) -> dict[str, str]:
    """Where the parts are reached; one host name, so that one sign-in serves all."""
    host = settings.link_host
    return {
        "screens": f"http://{host}:{settings.port}/",
        "dashboards": f"http://{host}:{settings.dashboards_port}/",
        "dagster": f"http://{host}:{settings.dagster_port}/",
    }


def wait_until_healthy(settings: Settings) -> None:
    """Wait for every part that listens. Raises ServerError naming the part that did not answer."""
    deadline = time.monotonic() + HEALTH_TIMEOUT_S
    waiting = {
        "api": f"http://{settings.host}:{settings.port}/healthz",
        "dashboards": f"http://{settings.host}:{settings.dashboards_port}/healthz",
        "dagster": f"http://{settings.host}:{settings.dagster_port}/healthz",
    }
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("starting", total=None)
        while waiting:
            for name, address in list(waiting.items()):
                try:
                    if httpx.get(address, timeout=2).status_code == 200:
                        del waiting[name]
                except httpx.HTTPError:
                    pass
            progress.update(task, description=f"starting: {', '.join(waiting) or 'done'}")
            if waiting and time.monotonic() > deadline:
                raise ServerError(
                    f"{', '.join(waiting)} did not answer in {HEALTH_TIMEOUT_S:.0f} s;"
                    f" see the logs in {settings.log_dir}"
                )
            time.sleep(0.3)


def start(settings: Settings) -> None:
    """Start the parts and print where they are."""
    supervisor.start_detached(settings)
    wait_until_healthy(settings)
    for name, address in addresses(settings).items():
        console.print(f"  {name:<12}{address}")


def up() -> None:
    """Start this installation: database, migrations, screens, writer, dashboards, Dagster."""
    settings = get_settings()
    if supervisor.supervisor_pid(settings):
        raise supervisor.AlreadyRunning("this installation is up already; `kmis status` shows it")
    supervisor.check_ports(settings)
    unfinished.refuse(settings)
    with server_in_use(settings):
        prepare(settings)
        start(settings)


def demo(
    population: Annotated[int, typer.Option(help="People of the synthetic district.", min=100)] = 16_000,
    years: Annotated[int, typer.Option(help="Years of history.", min=1, max=10)] = 2,
    seed: Annotated[int, typer.Option(help="The same seed gives the same region.")] = 20_260_101,
    region_people: Annotated[
        int, typer.Option(help="People of the other districts, whose rows only the lake holds.", min=0)
    ] = 0,
    exit_: Annotated[bool, typer.Option("--exit", help="Load, refresh once and leave.")] = False,
    play: Annotated[bool, typer.Option("--live", help="Go on playing: simulated users act until Ctrl-C.")] = False,
    rate: live.Rate = 1.0,
    minutes: live.Minutes = None,
    live_seed: live.Seed = 1,
    journal: live.JournalFile = None,
    measure: live.Measure = False,
) -> None:
    """Start with a synthetic region, loaded when the store is empty; prints addresses and logins.

    With --live simulated users act on it, also on one that runs already; it stays up when they end.
    """
    settings = get_settings()
    if play and exit_:
        raise typer.BadParameter("--live needs what --exit stops")
    if not play or supervisor.supervisor_pid(settings) is None:
        _show(settings, population, years, seed, region_people, exit_=exit_)
    if play:
        live.play(settings, rate, minutes, live_seed, journal=journal, measure=measure)


def _show(settings: Settings, population: int, years: int, seed: int, region_people: int, *, exit_: bool) -> None:
    """Load the region where the store is empty, make the first figures, start, and say how to sign in."""
    unfinished.refuse(settings)
    with server_in_use(settings):
        _made(settings, population, years, seed, region_people, exit_=exit_)


def _made(settings: Settings, population: int, years: int, seed: int, region_people: int, *, exit_: bool) -> None:
    from kmis.cli_lake import one_pass
    from operational import demo as region

    if supervisor.supervisor_pid(settings):
        raise supervisor.AlreadyRunning("this installation is up already; `kmis status` shows it")
    if not exit_:
        supervisor.check_ports(settings)
    with console.status("preparing the database"):
        prepare(settings)
    if region.is_empty(settings):
        with region.shown_progress() as report:
            region.load(settings, population=population, years=years, seed=seed, progress=report)
    if region_people:
        from kmis.cli.region import show_districts

        show_districts(settings, region_people, years, seed, console)
    console.print("  first pass to gold")
    one_pass(settings, lambda step: console.print(f"    {step}"))
    if not exit_:
        start(settings)
    table = Table("login", "password", "role", "organisation", title="Demonstration users (synthetic data only)")
    for user in region.LOGINS:
        table.add_row(user.login, user.password, user.title, user.organisation)
    console.print(table)
    if exit_ and not settings.database_url:
        EmbeddedServer(settings).stop()


def down() -> None:
    """Stop everything that runs."""
    console.print("stopped" if supervisor.stop(get_settings()) else "nothing was running")


def status() -> None:
    """Show what runs, the newest snapshot, its age and its reconciliation. Exit 1 when down, 2 before a pass."""
    settings = get_settings()
    table = Table("part", "process", "port")
    states = supervisor.part_states(settings)
    for part in supervisor.PARTS:
        port = str(getattr(settings, part.port_setting)) if part.port_setting else ""
        pid = states[part.name]
        table.add_row(part.name, str(pid) if pid else "down", port)
    console.print(table)
    if settings.database_url or EmbeddedServer(settings).running():
        from kmis.cli.region import synthetic_rows
        from kmis.query import NothingPublished, QueryService

        service = QueryService(settings)
        try:
            now = service.current()
            console.print(
                f"snapshot {now.snapshot_id}, {now.age_seconds:.0f} s old, "
                f"reconciliation: {'clean' if now.reconciled else now.state}"
            )
            for line in waiting_lines(settings):
                console.print(line)
            if (beyond := synthetic_rows(settings)) is not None:
                console.print(beyond)
        except NothingPublished:
            typer.echo("kmis: nothing is published yet: run `kmis refresh`", err=True)
            raise typer.Exit(2) from None
        finally:
            service.close()
    if supervisor.supervisor_pid(settings) is None:
        raise typer.Exit(1)


def waiting_lines(settings: Settings) -> list[str]:
    """What is committed and not in the figures, and the session whose open transaction keeps them back."""
    with psycopg.connect(settings.dsn("kmis_app"), connect_timeout=5) as store:
        waiting = store.execute("select entries, oldest_at from kmis_feed_waiting()").fetchone()
        holder = store.execute(
            "select pid, coalesce(nullif(application, ''), role, '?'), coalesce(since, now())"
            " from kmis_watermark_holder()"
        ).fetchone()
    lines = []
    if waiting and waiting[0]:
        lines.append(f"{waiting[0]} changes are not in the figures yet, the oldest of {waiting[1]:%Y-%m-%d %H:%M:%S%z}")
    if holder:
        lines.append(
            f"figures wait for session {holder[0]} ({holder[1]}), in a transaction since {holder[2]:%H:%M:%S%z}"
        )
    return lines


def register(app: typer.Typer) -> None:
    for command in (up, demo, down, status):
        app.command()(command)
