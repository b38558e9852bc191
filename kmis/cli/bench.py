"""``kmis bench``: each benchmark beside its peer in one run, with the ratio printed and the document written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from kmis.bench.results import Result

Sized = TypeVar("Sized", bound="DataclassInstance")
NAMES = ("unload", "fresh", "dicom", "hl7", "refresh", "drill")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says; None where the benchmark's own size holds."""

    quick: bool
    home: Path | None
    rows: int | None
    minutes: float | None
    rate: float | None
    slices: int | None
    messages: int | None
    population: int | None
    region_people: int | None
    refreshes: int | None
    say: Callable[[str], None]


def bench(
    name: Annotated[str | None, typer.Argument(help=f"One of {', '.join(NAMES)}; all when left out.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes that only show that it runs.")] = False,
    document: Annotated[
        Path | None, typer.Option(help="Where the sections are written; docs/benchmarks.md unless --quick.")
    ] = None,
    home: Annotated[Path | None, typer.Option(help="Folder for the installations that are made, kept after.")] = None,
    rows: Annotated[int | None, typer.Option(help="Rows of unload (200,000); changed rows of refresh (1,000).")] = None,
    minutes: Annotated[float | None, typer.Option(help="Minutes of fresh (5).")] = None,
    rate: Annotated[float | None, typer.Option(help="Visits a second of fresh (5).")] = None,
    slices: Annotated[int | None, typer.Option(help="Slices of the study of dicom (400).")] = None,
    messages: Annotated[int | None, typer.Option(help="Messages of hl7 (400).")] = None,
    population: Annotated[int | None, typer.Option(help="People of fresh, refresh and drill (16,000).")] = None,
    region_people: Annotated[
        int | None, typer.Option(help="People added for the larger region of refresh (304,000).")
    ] = None,
    refreshes: Annotated[int | None, typer.Option(help="Refreshes before those that are measured (500).")] = None,
) -> None:
    """Run benchmarks and write their sections. Exit 1 when a goal is missed, 2 when the name is unknown."""
    from kmis.bench.results import DOCUMENT, Machine, write

    console = Console(highlight=False, soft_wrap=True)
    if name is not None and name not in NAMES:
        console.print(f"unknown benchmark {name}; there are {', '.join(NAMES)}")
        raise typer.Exit(2)
    asked = Asked(
        quick, home, rows, minutes, rate, slices, messages, population, region_people, refreshes,
        lambda line: console.print(line, markup=False),
    )  # fmt: skip
    target = document or (None if quick else DOCUMENT)
    met = True
    for each in (name,) if name else NAMES:
        machine = Machine.here()
        result = replace(_run(each, asked), command=_command(each, asked), machine=machine)
        for line in result.printed():
            asked.say(line)
        met = met and result.met
        if target is not None:
            write(result, target, NAMES)
    if not met:
        raise typer.Exit(1)


def _run(name: str, asked: Asked) -> Result:
    from kmis.bench import dicom, drill, fresh, hl7, refresh, unload

    home = None if asked.home is None else asked.home / name
    if name == "unload":
        return unload.report(unload.run(asked.rows or (2_000 if asked.quick else unload.ROWS), asked.say))
    if name == "fresh":
        size = fresh.Size(minutes=0.2, rate=1.0, population=300, years=1) if asked.quick else fresh.Size()
        return fresh.report(fresh.run(_sized(size, asked, "minutes", "rate", "population"), asked.say, home))
    if name == "dicom":
        return dicom.report(dicom.run(asked.slices or (4 if asked.quick else dicom.SLICES), asked.say))
    if name == "hl7":
        return hl7.report(hl7.run(asked.messages or (8 if asked.quick else hl7.MESSAGES), asked.say))
    if name == "refresh":
        lake = refresh.QUICK if asked.quick else refresh.Size()
        lake = _sized(lake, asked, "population", "region_people", "refreshes", "rows")
        return refresh.report(refresh.run(lake, asked.say, home))
    reading = _sized(drill.QUICK if asked.quick else drill.Size(), asked, "population")
    return drill.report(drill.run(reading, asked.say, home))


def _sized(size: Sized, asked: Asked, *names: str) -> Sized:
    given = {name: getattr(asked, name) for name in names if getattr(asked, name) is not None}
    return replace(size, **given)


def _command(name: str, asked: Asked) -> str:
    options = ("rows", "minutes", "rate", "slices", "messages", "population", "region_people", "refreshes")
    given = [f"--{option.replace('_', '-')} {getattr(asked, option):g}" for option in options
             if getattr(asked, option) is not None]  # fmt: skip
    return " ".join((".venv/bin/kmis bench", name, *(("--quick",) if asked.quick else ()), *given))


def register(app: typer.Typer) -> None:
    app.command()(bench)
