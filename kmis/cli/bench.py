"""``kmis bench``: each benchmark beside its peer in one run, with the ratio printed."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

NAMES = ("unload", "fresh", "dicom", "hl7")


def bench(
    name: Annotated[str | None, typer.Argument(help=f"One of {', '.join(NAMES)}; all when left out.")] = None,
    rows: Annotated[int, typer.Option(help="Rows of the unload benchmark.")] = 200_000,
    minutes: Annotated[float, typer.Option(help="Minutes of the freshness benchmark.")] = 5.0,
    slices: Annotated[int, typer.Option(help="Slices of the DICOM benchmark's study.")] = 400,
    messages: Annotated[int, typer.Option(help="Messages of the HL7 benchmark.")] = 400,
    rate: Annotated[float, typer.Option(help="Visits a second of the freshness benchmark.")] = 5.0,
) -> None:
    """Run a benchmark. Exit 1 when a goal is missed, 2 when the name is unknown."""
    console = Console(highlight=False)
    if name is not None and name not in NAMES:
        console.print(f"unknown benchmark {name}; there are {', '.join(NAMES)}")
        raise typer.Exit(2)
    good = True
    if name in (None, "unload"):
        from kmis.bench import unload

        lines, met = unload.report(unload.run(rows, console.print))
        console.print("\n".join(lines))
        good = good and met
    if name in (None, "fresh"):
        from kmis.bench import fresh

        lines, met = fresh.report(fresh.run(minutes, rate, console.print))
        console.print("\n".join(lines))
        good = good and met
    if name in (None, "dicom"):
        from kmis.bench import dicom

        lines, met = dicom.report(dicom.run(slices, console.print))
        console.print("\n".join(lines))
        good = good and met
    if name in (None, "hl7"):
        from kmis.bench import hl7

        lines, met = hl7.report(hl7.run(messages, console.print))
        console.print("\n".join(lines))
        good = good and met
    if not good:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    app.command()(bench)
