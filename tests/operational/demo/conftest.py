"""One small district in memory, and one in a server of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pydicom
import pytest

from kmis.clock import FixedClock
from kmis.postgres import EmbeddedServer, ensure_server
from kmis.settings import Settings
from operational.demo.generating import Demonstration, generate
from operational.demo.loading import Loaded, load
from operational.migrate import migrate

NOW = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Oral")
POPULATION, SEED = 1200, 11


def data_set_of(content: bytes) -> bytes:
    """A DICOM file without its head (preamble, prefix, group length, group), which names who sent it."""
    head = pydicom.dcmread(BytesIO(content), stop_before_pixels=True).file_meta
    return content[132 + 12 + head.FileMetaInformationGroupLength :]


@pytest.fixture(scope="session")
def made() -> Demonstration:
    """1,200 people and a year of their visits."""
    return generate(POPULATION, 1, SEED, NOW, ZONE)


@pytest.fixture(scope="session")
def filled() -> Iterator[tuple[Settings, Loaded]]:
    """The same district in an own installation."""
    with tempfile.TemporaryDirectory(prefix="kmis-demo-") as folder:
        Path(folder).chmod(0o755)
        own = Settings(home=Path(folder) / "home", database_url=None)
        ensure_server(own)
        migrate(own)
        try:
            yield own, load(own, POPULATION, 1, SEED, clock=FixedClock(NOW))
        finally:
            EmbeddedServer(own).stop()
