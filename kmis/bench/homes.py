"""Installations that benchmarks make for themselves: a synthetic region in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kmis.postgres import EmbeddedServer, free_port
from kmis.settings import Settings

Say = Callable[[str], None]
PORTS = ("PORT", "DASHBOARDS_PORT", "DAGSTER_PORT", "DICOM_PORT", "MLLP_PORT")


class HomeFailed(RuntimeError):
    """The synthetic region could not be made; the message is the end of the command's output."""


@contextlib.contextmanager
def demo_home(
    population: int, years: int, say: Say, region_people: int = 0, home: Path | None = None
) -> Iterator[Settings]:
    """A loaded and refreshed installation whose database runs and whose parts do not.

    With ``home`` that folder is used, as it is when it holds an installation, and kept; else it is a temporary one.
    Raises HomeFailed.
    """
    with _folder(home) as place:
        settings = Settings(home=place, database_url=None)
        if not (settings.postgres_dir / "PG_VERSION").exists():
            region = f" and {region_people:,} of the region" if region_people else ""
            say(f"  making a district of {population:,} people{region}, {years} years")
            ballast = ("--region-people", str(region_people)) if region_people else ()
            kmis(place, "demo", "--exit", "--population", str(population), "--years", str(years), *ballast)
        server = EmbeddedServer(settings)
        server.start()
        try:
            yield settings
        finally:
            server.stop()


@contextlib.contextmanager
def running_demo(population: int, years: int, say: Say, home: Path | None = None) -> Iterator[Settings]:
    """The same with all parts up, on free ports. Raises HomeFailed."""
    ports = {f"KMIS_{name}": str(free_port()) for name in PORTS}
    with _folder(home) as place:
        say(f"  starting an installation of {population:,} people, {years} years")
        kmis(place, "demo", "--population", str(population), "--years", str(years), environment=ports)
        try:
            yield Settings(home=place, database_url=None)
        finally:
            kmis(place, "down", environment=ports)


def kmis(home: Path, *words: str, environment: Mapping[str, str] | None = None) -> None:
    """Runs a command of this installation. Raises HomeFailed."""
    inherited = {name: value for name, value in os.environ.items() if name != "KMIS_DATABASE_URL"}
    done = subprocess.run(
        (sys.executable, "-m", "kmis", *words), env=inherited | {"KMIS_HOME": str(home)} | dict(environment or {}),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise HomeFailed(f"kmis {' '.join(words)} ended with {done.returncode}: {done.stdout[-400:]}")


@contextlib.contextmanager
def _folder(home: Path | None) -> Iterator[Path]:
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        yield home
        return
    with tempfile.TemporaryDirectory(prefix="kmis-bench-") as folder:
        # the embedded server runs as a user of its own
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"
