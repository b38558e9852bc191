"""Puts the people of the region's other districts into the lake: made by the demonstration, taken in by the writer."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import typer
from rich.console import Console

from kmis.settings import Settings


def show_districts(settings: Settings, people: int, years: int, seed: int, console: Console) -> None:
    """``add_districts`` with its progress on the terminal. A refusal is one line and exit code 2."""
    from operational.demo import NotTheDemonstration, shown_progress
    from pipelines.lib.errors import PassRefused

    try:
        with shown_progress() as report:
            add_districts(settings, people, years, seed, report, lambda step: console.print(f"    {step}"))
    except (NotTheDemonstration, PassRefused, ValueError) as error:
        typer.echo(f"kmis: {error}", err=True)
        raise typer.Exit(2) from None


def add_districts(
    settings: Settings, people: int, years: int, seed: int, report: Callable[[str, int, int], None],
    tell: Callable[[str], None],
) -> int:  # fmt: skip
    """Organisations and staff of the other districts into the store, rows of so many patients into bronze only.

    The next pass makes figures of them. Gives the number of rows, 0 where they are there already. Raises
    NotTheDemonstration (of either side), ValueError for a number of people that makes no district, WriterBusy.
    """
    from operational.demo import region_bulk
    from pipelines.lib.bulk import ingest, read_synthetic
    from pipelines.lib.workshop import open_workshop

    with open_workshop(settings) as workshop:
        if read_synthetic(workshop.lake) is not None:
            return 0
        made = region_bulk(settings, people, years, seed, report)
        try:
            return ingest(workshop, made.folder, made.seed, made.people, made.districts, tell).entries
        finally:
            shutil.rmtree(made.folder, ignore_errors=True)


def synthetic_rows(settings: Settings) -> str | None:
    """What the published lake holds beside the store's rows, in a sentence; None: nothing."""
    from pipelines.lib.bulk import read_synthetic
    from pipelines.lib.readers import open_reader

    with open_reader(settings) as reader:
        made = read_synthetic(reader.connection)
    if made is None:
        return None
    return (
        f"synthetic: {made.people} people of {made.districts} other districts ({made.entries} entries of bronze,"
        f" seed {made.seed}) stand in the lake only"
    )
