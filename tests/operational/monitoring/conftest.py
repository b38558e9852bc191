"""The place where signal cases happen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from operational.kit.access import Scope
from tests.kmis.query import small_lake
from tests.kmis.query.conftest import Place as Lake
from tests.kmis.query.conftest import open_place
from tests.operational.monitoring.factories import Place, make_place


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A small lake of sixty visits and the query service on it."""
    folder = tmp_path_factory.mktemp("small_lake")
    opened = open_place(folder, small_lake.make(folder, visits=60))
    yield opened
    opened.service.close()


@pytest.fixture
def place(session: Session, world: dict[str, int], scope: Scope) -> Place:
    """A polyclinic that answers and a hospital that treats, in the test's own transaction."""
    return make_place(session, world, scope)
