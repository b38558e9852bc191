"""The random acts keep every rule of the store, whatever their order: a broken one would hide in the property test."""

from __future__ import annotations

import random
from collections.abc import Iterator

import psycopg
import pytest

from kmis.postgres import admin_connection, ensure_server
from kmis.settings import Settings
from operational import demo
from operational.migrate import migrate
from tests.invariants.acting import Connection
from tests.invariants.acts import ACTS
from tests.pipelines.conftest import own_settings

DATABASE = "kmis_acts"


@pytest.fixture(scope="module")
def store(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A small district in a database of its own."""
    own = own_settings(settings, tmp_path_factory.mktemp("acts"), DATABASE)
    ensure_server(own)
    migrate(own)
    demo.load(own, population=300, years=1, seed=7)
    yield own
    with admin_connection(settings) as connection:
        connection.execute(f'drop database "{DATABASE}" with (force)')


def changes(connection: Connection) -> set[str]:
    """The tables that something was changed in."""
    return {row[0] for row in connection.execute("select table_name from change_feed where operation = 'U'")}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_acts_break_no_rule_of_the_store(store: Settings, seed: int) -> None:
    rng = random.Random(seed)
    with psycopg.connect(store.dsn("kmis_owner")) as connection:
        for _ in range(15):
            for act in rng.sample(ACTS, len(ACTS)):
                act(connection, rng)
            connection.commit()
        changed = changes(connection)
    assert changed >= {
        "hospital_presentation", "hospital_stay", "ward_movement", "stay_diagnosis", "pregnancy", "pregnancy_visit",
        "diagnostic_report", "lab_result", "home_call", "signal_case", "death", "patient_merge",
    }  # fmt: skip
