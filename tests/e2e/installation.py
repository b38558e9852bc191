"""An installation of its own for the browser tests: free ports, a temporary home, the synthetic district."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import TupleRow

from kmis.settings import Settings

PORTS = ("PORT", "DASHBOARDS_PORT", "DAGSTER_PORT", "DICOM_PORT", "MLLP_PORT")
START_TIMEOUT_S = 280


@dataclass(frozen=True, slots=True)
class Installation:
    """A running system and how to speak to it."""

    home: Path
    environment: dict[str, str]
    log: Path

    @property
    def screens(self) -> str:
        """Address of the screens, without a slash at its end."""
        return f"http://127.0.0.1:{self.environment['KMIS_PORT']}"

    @property
    def dashboards(self) -> str:
        """Address of the dashboards behind their guard."""
        return f"http://127.0.0.1:{self.environment['KMIS_DASHBOARDS_PORT']}"

    @property
    def screenshots(self) -> Path:
        """Where pictures of the screens are kept; goes with the installation unless KMIS_SCREENSHOTS names a folder."""
        folder = Path(os.environ.get("KMIS_SCREENSHOTS", self.home / "screenshots"))
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def kmis(self, *arguments: str, timeout_s: float = START_TIMEOUT_S) -> None:
        """Run a command of this installation. Fails with its last lines."""
        with self.log.open("ab") as log:
            done = subprocess.run(
                [sys.executable, "-m", "kmis", *arguments],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=timeout_s, check=False,
            )  # fmt: skip
        if done.returncode:
            last = self.log.read_text(errors="replace").splitlines()[-25:]
            raise AssertionError(f"`kmis {' '.join(arguments)}` ended with {done.returncode}:\n" + "\n".join(last))

    def rows(self, statement: str, *values: Any) -> list[TupleRow]:
        """What the store holds, read as its owner: for choosing whom a journey is about and for checking it."""
        settings = Settings(home=self.home, port=int(self.environment["KMIS_PORT"]))
        with psycopg.connect(settings.dsn("kmis_owner")) as store:
            return store.execute(statement, values).fetchall()


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now; held together while they are chosen, so that no two are the same."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def new_installation(folder: Path) -> Installation:
    """An installation that is not started yet, with its state under the folder."""
    home = folder / "home"
    ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    own = {name: value for name, value in os.environ.items() if not name.startswith("KMIS_")}
    environment = own | {"KMIS_HOME": str(home)} | {f"KMIS_{name}": port for name, port in ports.items()}
    if "KMIS_DATABASE_URL" in os.environ:
        environment["KMIS_DATABASE_URL"] = os.environ["KMIS_DATABASE_URL"]
    return Installation(home, environment, folder / "commands.log")
