"""Two organisations register one woman at the same moment: she is counted once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from kmis.settings import Settings
from operational.kit.access import Scope
from tests.factories import create_patient, insert
from tests.operational.maternity.test_pages import FORM
from tests.operational.maternity.test_pregnancies import other_scope
from tests.operational.stage import browser

TABLES = ("pregnancy_visit", "planned_pregnancy_visit", "pregnancy_risk_factor", "pregnancy_care")


@pytest.fixture
def woman(settings: Settings, world: dict[str, int]) -> Iterator[int]:
    """A woman whom both organisations see; her pregnancies are taken away after the test."""
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        key = create_patient(connection, world["polyclinic"], surname="Бірмезгілова")
        insert(connection, "patient_access", patient_id=key, organisation_id=world["other"], basis="opened")
    yield key
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        for table in TABLES:
            connection.execute(f"delete from {table} where patient_id = %s", (key,))
        connection.execute("delete from pregnancy where patient_id = %s", (key,))


@pytest.mark.requirement("PREG-04")
def test_one_woman_registered_twice_at_once_is_counted_once(
    settings: Settings, scope: Scope, world: dict[str, int], woman: int
) -> None:
    together = Barrier(4)
    clients = [browser(settings, who) for who in (scope, other_scope(scope, world)) * 2]

    def register(number: int) -> int:
        together.wait()
        answer = clients[number].post("/pregnancies/new", data={"patient_id": str(woman), **FORM})
        return int(answer.status_code)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(register, range(4)))
    assert sorted(answers) == [303, 409, 409, 409]
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        count = connection.execute("select count(*) from pregnancy where patient_id = %s", (woman,)).fetchone()
    assert count == (1,)
