"""One small synthetic region for all tests of backups; each test works on a copy of its own.

Not under pytest's folder: another run closes that to the user that the embedded server runs as.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from kmis.postgres import EmbeddedServer
from tests.backup.stage import copied, kmis, settings_of


def _open_folder() -> tempfile.TemporaryDirectory[str]:
    made = tempfile.TemporaryDirectory(prefix="kmis-backup-")
    Path(made.name).chmod(0o755)
    return made


@pytest.fixture(scope="session")
def demonstration() -> Iterator[Path]:
    """The home of a synthetic region of 300 people, refreshed once and stopped. Never changed."""
    with _open_folder() as above:
        home = Path(above) / "home"
        done = kmis(home, "demo", "--exit", "--population", "300", "--years", "1")
        assert done.returncode == 0, done.stdout + done.stderr
        yield home


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a test keeps its homes; their servers are stopped at its end."""
    with _open_folder() as above:
        yield Path(above)
        for home in Path(above).iterdir():
            if (home / "postgres").exists():
                EmbeddedServer(settings_of(home)).stop()


@pytest.fixture
def home(demonstration: Path, folder: Path) -> Path:
    """A copy of the region."""
    return copied(demonstration, folder / "home")
