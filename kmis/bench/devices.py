"""What both device benchmarks need: an installation of their own with one registered device, and a started listener."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from kmis.postgres import EmbeddedServer, ensure_server
from kmis.settings import Settings

BENCH_AET = "BENCHCT"
BENCH_SENDER = "BENCH|LAB"


@dataclass(frozen=True, slots=True)
class Installation:
    """A temporary installation; ``organisation`` owns the devices BENCH_AET and BENCH_SENDER."""

    settings: Settings
    organisation: int

    def environment(self) -> dict[str, str]:
        return os.environ | {"KMIS_HOME": str(self.settings.root), "PYTHONUNBUFFERED": "1"}


@contextlib.contextmanager
def installation() -> Iterator[Installation]:
    """An embedded server with the schema, and the rows that a delivery needs."""
    from operational.migrate import migrate

    with tempfile.TemporaryDirectory(prefix="kmis-bench-") as folder:
        Path(folder).chmod(0o755)
        settings = Settings(home=Path(folder) / "home", database_url=None)
        ensure_server(settings)
        try:
            migrate(settings)
            yield Installation(settings, _rows(settings))
        finally:
            EmbeddedServer(settings).stop()


@contextlib.contextmanager
def listener(installed: Installation, module: str) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """``python -m module`` on a free port; its port and process."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--port", "0"], env=installed.environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        yield int(line.rsplit(" ", 1)[1]), process
    finally:
        process.terminate()
        process.wait(30)


def _rows(settings: Settings) -> int:
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        row = connection.execute("insert into organisation (code, kind) values ('bench', 'region') returning id")
        organisation = int((row.fetchone() or (0,))[0])
        connection.execute(
            "insert into organisation_version (organisation_id, name_kk, name_ru, kato_code, valid_from)"
            " values (%s, 'bench', 'bench', '270000000', '2020-01-01')",
            (organisation,),
        )
        for protocol, address in (("dicom", BENCH_AET), ("hl7v2", BENCH_SENDER)):
            connection.execute(
                "insert into device (organisation_id, code, name_kk, name_ru, kind, protocol, address)"
                " values (%s, %s, 'bench', 'bench', %s, %s, %s)",
                (organisation, protocol, "modality" if protocol == "dicom" else "analyser", protocol, address),
            )
    return organisation
