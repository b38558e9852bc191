"""The place where signal cases happen."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from operational.kit.access import Scope
from tests.operational.monitoring.factories import Place, make_place


@pytest.fixture
def place(session: Session, world: dict[str, int], scope: Scope) -> Place:
    """A polyclinic that answers and a hospital that treats, in the test's own transaction."""
    return make_place(session, world, scope)
