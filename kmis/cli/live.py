"""``kmis live``: simulated users act on this installation until they are stopped."""

from __future__ import annotations

import signal
import threading
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from kmis import supervisor
from kmis.settings import Settings, get_settings

console = Console(highlight=False)

Rate = Annotated[float, typer.Option(help="Acts a second, by a fixed schedule.", min=0.01, max=100)]
Minutes = Annotated[float | None, typer.Option(help="End after so many minutes; unset: on Ctrl-C.", min=0.05)]
Seed = Annotated[int, typer.Option(help="The same seed draws the same acts.")]
JournalFile = Annotated[Path | None, typer.Option("--journal", help="Where acknowledged acts are written down.")]
Measure = Annotated[bool, typer.Option(help="Measure commit to figure, then refresh, reconcile and look for losses.")]


def live(
    rate: Rate = 1.0,
    minutes: Minutes = None,
    seed: Seed = 1,
    journal: JournalFile = None,
    every_kind: Annotated[bool, typer.Option(help="Begin with each kind of act once.")] = False,
    measure: Measure = False,
) -> None:
    """Let simulated users act through HTTP, MLLP and DICOM. Exit 1 when a measurement finds a loss or misses a goal."""
    settings = get_settings()
    if supervisor.supervisor_pid(settings) is None:
        typer.echo("kmis: nothing runs here: run `kmis up` or `kmis demo` first", err=True)
        raise typer.Exit(2)
    play(settings, rate, minutes, seed, journal=journal, every_kind=every_kind, measure=measure)


def play(
    settings: Settings, rate: float, minutes: float | None, seed: int, *, journal: Path | None = None,
    every_kind: bool = False, measure: bool = False,
) -> None:  # fmt: skip
    """Play until the minutes are over, SIGINT or SIGTERM. Exit 1 as ``live``, 2 without a demonstration."""
    from operational.demo.live.journal import journal_path
    from operational.demo.live.player import NotPlayable, Plan, Player
    from operational.demo.live.speaking import Stopped

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    plan = Plan(rate, None if minutes is None else minutes * 60, seed, every_kind)
    file = journal or journal_path(settings)

    def say(line: str) -> None:
        console.print(f"{datetime.now(settings.zone):%H:%M:%S} {line}", soft_wrap=True)

    try:
        if measure:
            from kmis.bench import live as measuring

            lines, good = measuring.report(measuring.run(settings, plan, stop, file, say))
            console.print("\n".join(lines), soft_wrap=True)
            if not good:
                raise typer.Exit(1)
            return
        Player(settings, plan, stop, file).run(say)
    except NotPlayable as error:
        typer.echo(f"kmis: {error}", err=True)
        raise typer.Exit(2) from None
    except Stopped:
        return


def register(app: typer.Typer) -> None:
    app.command()(live)
