"""The stage of the fault tests: one running installation of its own."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import new_installation
from tests.faults.system import System

POPULATION = 400


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """`kmis demo` with 400 people and one year, running; stopped and removed at the end."""
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # a listener that is not back yet is no error
    with tempfile.TemporaryDirectory(prefix="kmis-faults-") as folder:
        Path(folder).chmod(0o755)  # the embedded server has a user of its own
        own = new_installation(Path(folder))
        try:
            own.kmis("demo", "--population", str(POPULATION), "--years", "1")
            yield System(own)
        finally:
            own.kmis("down")
