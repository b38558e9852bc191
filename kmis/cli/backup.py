"""Commands of keeping an installation: ``backup`` with ``list``, ``key`` and ``test``, ``restore``, ``upgrade``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from kmis.backup.errors import BackupError
from kmis.backup.key import key_file, make_key, repository
from kmis.backup.making import make_backup
from kmis.backup.restoring import Parts, Restored, Wanted, check_target, restore
from kmis.backup.trial import Trial, try_restore
from kmis.backup.upgrading import Steps, UpgradeFailed, back_out, upgrade
from kmis.clock import SystemClock
from kmis.settings import Settings, get_settings

app = typer.Typer(help="Backups of this installation: database, lake, images, spool and keys as one point.")
console = Console(highlight=False)

KeyFile = Annotated[Path | None, typer.Option("--key-file", help="The file in which the recovery key is kept.")]


def register(parent: typer.Typer) -> None:
    """Adds the commands to the application."""
    parent.add_typer(app, name="backup")
    parent.command("restore")(restore_command)
    parent.command("upgrade")(upgrade_command)


@app.callback(invoke_without_command=True)
def backup(
    context: typer.Context,
    unattended: Annotated[bool, typer.Option(help="By a schedule: make neither recovery key nor repository.")] = False,
    new_repository: Annotated[bool, typer.Option(help="Begin a new repository where an earlier one is gone.")] = False,
) -> None:
    """Make a backup now, while everything runs; the first one makes the recovery key and shows it once."""
    if context.invoked_subcommand is not None:
        return
    settings = get_settings()
    with shown_key(settings, make=not unattended), progress() as told:
        made = make_backup(settings, told, new_repository=False if unattended else new_repository or None)
    console.print(
        f"backup {made.saved.id} in {made.repository}: {made.saved.files} files, {size(made.saved.bytes)},"
        f" {size(made.saved.added)} new; snapshot {made.snapshot_id}; {made.removed} old backups removed",
        soft_wrap=True,
    )


@app.command("list")
def list_command() -> None:
    """The backups in the repository, the oldest first."""
    table = Table("backup", "made at", "holds")
    for entry in repository(get_settings()).kept():
        table.add_row(
            entry.id, f"{entry.made_at.astimezone(get_settings().zone):%Y-%m-%d %H:%M}", ", ".join(entry.tags)
        )
    console.print(table)


@app.command("key")
def key_command(
    take: Annotated[Path | None, typer.Option("--from", help="Take the key out of this file instead.")] = None,
) -> None:
    """Show the recovery key, made at first use. Without it no backup can be read: keep it outside of this machine."""
    settings = get_settings()
    if take is not None:
        if not take.is_file():
            raise BackupError(f"there is no file {take}")
        settings.secrets_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        key_file(settings).touch(mode=0o600)
        key_file(settings).write_text(take.read_text().strip())
        console.print("the recovery key was taken over")
        return
    make_key(settings)
    show_key(settings)


@app.command("test")
def test_command() -> None:
    """Restore the newest backup beside the installation, refresh and reconcile it there, and remove it again."""
    with progress() as told:
        result = try_restore(
            get_settings(), Parts(migrate, lambda _: None),
            Trial(lambda place: run(place, told, "refresh"), lambda place: run(place, lambda _: None, "reconcile")),
            told,
        )  # fmt: skip
    console.print(f"restored and reconciled: {summary(result)}", soft_wrap=True)


def restore_command(
    place: Annotated[str | None, typer.Option("--from", help="The repository; else KMIS_BACKUP_REPOSITORY.")] = None,
    key: KeyFile = None,
    snapshot: Annotated[str | None, typer.Option(help="The backup's number; else the newest.")] = None,
    replace: Annotated[bool, typer.Option(help="Replace what is there; it is set aside, not deleted.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before replacing.")] = False,
    accept_missing: Annotated[bool, typer.Option(help="Restore although files are missing from the backup.")] = False,
) -> None:
    """Restore an installation on an empty KMIS_HOME, compare it with its backup, and open a new feed epoch."""
    settings = get_settings()
    check_target(settings, replace)
    if replace and not yes:
        typer.confirm(f"Replace the installation in {settings.root} with a backup?", abort=True)
    with progress() as told:
        result = restore(settings, Wanted(place, key, snapshot, replace, accept_missing), Parts(migrate, serve), told)
        stop_server(settings)
    console.print(f"restored {summary(result)}", soft_wrap=True)
    if result.lost:
        console.print(f"missing from the backup: {len(result.lost)} files", soft_wrap=True)
    if result.aside:
        console.print(f"the state before lies in {result.aside}; delete it when it is not needed", soft_wrap=True)
    console.print("start it with `kmis up`")


def upgrade_command(
    without_backup: Annotated[bool, typer.Option(help="Make no backup before; backing out still works.")] = False,
    only_back_out: Annotated[bool, typer.Option("--back-out", help="Undo an upgrade that was interrupted.")] = False,
) -> None:
    """Bring this installation to the installed release: backup, migrations, models, reconciliation, start.

    Exit 0: done. 1: it failed and was backed out. 2: nothing was begun.
    """
    settings = get_settings()
    if only_back_out:
        aside = back_out(settings, keep=True)
        stop_server(settings)
        console.print("the state before the upgrade is back; start the former release")
        if aside is not None:
            console.print(f"what was there instead is the database {aside}; drop it when it is not needed")
        return
    with shown_key(settings, make=not without_backup), progress() as told:
        steps = Steps(
            migrate=prepare,
            build=lambda place: run(place, told, "refresh"),
            reconcile=lambda place: run(place, lambda _: None, "reconcile"),
            start=start,
        )
        try:
            done = upgrade(settings, steps, told, backup=not without_backup)
        except UpgradeFailed as error:
            stop_server(settings)
            typer.echo(f"kmis: {error}", err=True)
            raise typer.Exit(1) from None
    made = f"backup {done.backup.saved.id}, " if done.backup else ""
    console.print(f"upgraded: {made}{'started again' if done.started else 'start it with `kmis up`'}")


def migrate(settings: Settings) -> None:
    """The migrations that are missing."""
    from operational.migrate import migrate as run_migrations

    run_migrations(settings)


def prepare(settings: Settings) -> None:
    """Roles, migrations and directories of this release."""
    from kmis.cli.life import prepare as prepare_store

    prepare_store(settings)


def start(settings: Settings) -> None:
    """All parts, until they answer."""
    from kmis import supervisor
    from kmis.cli.life import wait_until_healthy

    supervisor.start_detached(settings)
    wait_until_healthy(settings)


def serve(settings: Settings) -> None:
    """The serving file of the newest publication."""
    from pipelines.lib.serving import serve_published

    serve_published(settings, SystemClock())


def stop_server(settings: Settings) -> None:
    """Stops the embedded server."""
    from kmis.postgres import EmbeddedServer

    if not settings.database_url:
        EmbeddedServer(settings).stop()


def run(settings: Settings, told: Callable[[str], None], command: str) -> None:
    """Runs a command of ``kmis`` for an installation. Raises BackupError with its last line when it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "KMIS_DATABASE_URL"}
    environment |= {"KMIS_HOME": str(settings.root), "KMIS_POSTGRES_PORT": str(settings.postgres_port)}
    if settings.database_url:
        environment["KMIS_DATABASE_URL"] = settings.database_url
    process = subprocess.Popen(
        [sys.executable, "-m", "kmis", command], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    last = ""
    for line in process.stdout or ():
        last = line.strip() or last
        told(last)
    if process.wait():
        raise BackupError(f"kmis {command}: {last}")


def summary(result: Restored) -> str:
    """What was restored, in one line."""
    silent = f" ({result.silent} gave no figures)" if result.silent else ""
    return (
        f"backup {result.backup.id} of {result.backup.made_at:%Y-%m-%d %H:%M} UTC, snapshot"
        f" {result.manifest.snapshot_id}: {result.tables} tables with {result.rows} rows, {result.files} files,"
        f" {result.products} products agree{silent}; {result.taken_up} deliveries of devices wait to be taken up"
    )


@contextmanager
def shown_key(settings: Settings, *, make: bool) -> Iterator[None]:
    """A key is made if there is none and ``make`` says so; a new one is shown whatever comes of the block."""
    new = make and settings.backup_repository is not None and make_key(settings)
    try:
        yield
    finally:
        if new:
            show_key(settings)


def show_key(settings: Settings) -> None:
    """Prints the recovery key."""
    console.print(f"recovery key: {key_file(settings).read_text()}", soft_wrap=True)
    console.print("Keep it outside of this machine: without it no backup can be read.")


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1_000_000:.1f} MB" if count < 1_000_000_000 else f"{count / 1_000_000_000:.2f} GB"


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Shows the step that runs and for how long."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as shown:
        task = shown.add_task("", total=None)
        yield lambda step: shown.update(task, description=step.replace("[", r"\["))
