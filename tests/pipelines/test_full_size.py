"""The demonstration at full size: 16,000 people in the store and 304,000 of the other districts in the lake."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

REGION = 304_000


@pytest.fixture
def home() -> Iterator[Path]:
    # the embedded server runs as a user of its own, who has to reach its folder
    with tempfile.TemporaryDirectory(prefix="kmis-full-size-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_the_demonstration_at_full_size_is_made_and_reconciles(home: Path) -> None:
    """Each step is printed with its seconds (`pytest -s`)."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KMIS_")}

    def kmis(*words: str) -> str:
        started = time.monotonic()
        done = subprocess.run(
            (sys.executable, "-m", "kmis", *words), env=inherited | {"KMIS_HOME": str(home), "COLUMNS": "200"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        print(f"kmis {' '.join(words)}: {time.monotonic() - started:.0f} s")
        assert done.returncode == 0, done.stdout[-800:] + done.stderr[-800:]
        return done.stdout

    try:
        kmis("demo", "--exit", "--region-people", str(REGION))
        told = kmis("reconcile")
        beyond = re.search(r"not compared: (\d+) synthetic rows", told)
        # a person of the other districts has an attachment and, in two years, visits with diagnoses and services
        assert beyond, told[-800:]
        assert int(beyond[1]) > 5 * REGION
        assert "differ" not in told
    finally:
        subprocess.run((sys.executable, "-m", "kmis", "down"), env=inherited | {"KMIS_HOME": str(home)}, check=False)
