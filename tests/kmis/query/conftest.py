"""A query service over the small lake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kmis.clock import FixedClock
from kmis.query import NothingPublished, Published, QueryService, Scope, Selection, SnapshotUnknown
from kmis.settings import Settings
from tests.kmis.query import small_lake

NOON = datetime(2026, 1, 15, 7, 0, tzinfo=UTC)  # 12:00 in Oral
PRODUCTS = ("DASH-01", "LIVE-04", "XLS-01", "XLS-02", "REP-01", "REP-02")


@dataclass
class Board:
    """Stands in for the table ``published``."""

    clock: FixedClock
    known: dict[int, Published] = field(default_factory=dict)

    def publish(self, snapshot_id: int) -> None:
        self.known[snapshot_id] = Published(snapshot_id, 100, NOON, NOON, 0.0, "ok")

    def current(self) -> Published:
        if not self.known:
            raise NothingPublished
        return self._aged(self.known[max(self.known)])

    def by_snapshot(self, snapshot_id: int) -> Published:
        if snapshot_id not in self.known:
            raise SnapshotUnknown
        return self._aged(self.known[snapshot_id])

    def _aged(self, published: Published) -> Published:
        return replace(published, age_seconds=(self.clock.now() - published.published_at).total_seconds())


@dataclass
class Place:
    """The lake's folder with a service over it."""

    folder: Path
    service: QueryService
    board: Board
    snapshot: int


def open_place(folder: Path, snapshot: int) -> Place:
    clock = FixedClock(NOON)
    board = Board(clock)
    board.publish(snapshot)
    service = QueryService(
        Settings(home=folder / "home"),
        clock=clock,
        published=board,
        attach=lambda connection, _: small_lake.attach(connection, folder),
    )
    return Place(folder, service, board, snapshot)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Shared, never changed."""
    folder = tmp_path_factory.mktemp("small_lake")
    opened = open_place(folder, small_lake.make(folder))
    yield opened
    opened.service.close()


@pytest.fixture
def own_place(tmp_path: Path) -> Iterator[Place]:
    """A lake of this test alone, which it may change."""
    opened = open_place(tmp_path, small_lake.make(tmp_path, visits=60))
    yield opened
    opened.service.close()


@pytest.fixture
def region() -> Scope:
    """A regional manager: all organisations, no identifiers."""
    return Scope(1, frozenset(small_lake.ORGANISATIONS))


@pytest.fixture
def january() -> Selection:
    return Selection(date(2026, 1, 1), date(2026, 1, 31))
