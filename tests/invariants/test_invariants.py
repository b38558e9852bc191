"""The invariants on the real project: figures equal rows while refreshes run, incremental equals rebuilt, and an
old snapshot gives what it gave."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest

from kmis.clock import SystemClock
from kmis.query import QueryService, Selection
from pipelines.lib.errors import ModelFailed
from pipelines.lib.reconcile import reconcile
from pipelines.lib.verify import verify
from tests.invariants.acts import ACTS, new_visit
from tests.invariants.conftest import District

# Six of the visit's path, twelve of hospital, maternity, orders and home care, and three that products count by.
FACTS = 21
YEAR = Selection(date.today() - timedelta(days=500), date.today())


def rows_of(service: QueryService, district: District, product: str, snapshot: int) -> list[tuple[object, ...]]:
    """All rows of a product's unload at a snapshot, in a stable order."""
    found: list[tuple[object, ...]] = []
    with service.row_batches(product, YEAR, district.scope, snapshot) as stream:
        for batch in stream.batches:
            found += zip(*(column.to_pylist() for column in batch.columns), strict=True)
    return sorted(found, key=repr)


def read_in_a_loop(district: District, stop: threading.Event, faults: list[str], seen: set[int]) -> None:
    """Take the figure, its parts and its rows of the newest snapshot again and again."""
    service = district.service()
    try:
        while not stop.is_set():
            snapshot = service.current().snapshot_id
            figure = service.figures("DASH-01", YEAR, district.scope, snapshot).value("visits")
            parts = service.breakdown("DASH-01", YEAR, "organisation", district.scope, snapshot)
            rows = service.rows("DASH-01", YEAR, district.scope, snapshot, page_size=1).total
            if not figure == rows == sum(row.value("visits") or 0 for row in parts.rows):
                faults.append(f"snapshot {snapshot}: figure {figure}, rows {rows}")
            seen.add(snapshot)
    finally:
        service.close()


def refresh_while_reading(district: District, refreshes: int) -> None:
    stop, faults, seen = threading.Event(), list[str](), set[int]()
    reader = threading.Thread(target=read_in_a_loop, args=(district, stop, faults, seen))
    reader.start()
    rng = random.Random(refreshes)
    try:
        for _ in range(refreshes):
            with district.connect() as connection:
                new_visit(connection, rng)
            assert district.passes.refresh() is not None
    finally:
        stop.set()
        reader.join()
    assert faults == []
    assert len(seen) > 1, "the reader must have met more than one snapshot"


def test_figure_and_rows_agree_while_refreshes_run(district: District) -> None:
    refresh_while_reading(district, 8)


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_figure_and_rows_agree_during_a_hundred_refreshes(district: District) -> None:
    refresh_while_reading(district, 100)


def mutate_and_compare(district: District, rounds: int, acts: int, seed: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(rounds):
        with district.connect() as connection:
            for act in (rng.choice(ACTS) for _ in range(acts)):
                act(connection, rng)
        district.passes.refresh()
    found = verify(district.settings)
    assert [f for f in found.findings if not f.ok and f.fails] == []
    result = reconcile(district.settings, district.project, SystemClock())
    assert [fact for fact in result.facts if not fact.equal] == []


@pytest.mark.timeout(900)
def test_incremental_gold_equals_a_full_rebuild_after_random_acts(district: District) -> None:
    mutate_and_compare(district, rounds=1, acts=40, seed=random.SystemRandom().randrange(10**6))


@pytest.mark.long
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("seed", range(5))
def test_incremental_gold_equals_a_full_rebuild_at_full_count(district: District, seed: int) -> None:
    mutate_and_compare(district, rounds=8, acts=60, seed=seed)


@pytest.mark.timeout(900)
@pytest.mark.requirement("XLS-02", "XLS-22")
def test_a_week_of_work_reconciles_every_day_and_old_unloads_stay_as_they_were(district: District) -> None:
    """Each day every kind of act happens once: care, corrections, voids, moves, take-overs, merges, separations."""
    service = district.service()
    first = service.current().snapshot_id
    before = {product: rows_of(service, district, product, first) for product in ("XLS-02", "XLS-22")}
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(7):
        with district.connect() as connection:
            for act in rng.sample(ACTS, len(ACTS)):
                act(connection, rng)
        district.passes.refresh()
        result = reconcile(district.settings, district.project, SystemClock())
        assert [fact for fact in result.facts if not fact.equal] == []
        assert len(result.facts) == FACTS
    newest = service.current().snapshot_id
    assert newest != first
    for product, rows in before.items():
        assert rows_of(service, district, product, first) == rows, product
        assert rows_of(service, district, product, newest) != rows, product
    service.close()


def test_a_model_that_fails_publishes_nothing(district: District) -> None:
    service = district.service()
    before = service.current().snapshot_id
    visits = service.figures("DASH-01", YEAR, district.scope, before).value("visits")
    models = tuple(
        replace(model, sql="select error('a broken model')") if model.name == "fct_visit" else model
        for model in district.project.models
    )
    broken = type(district.passes)(district.workshop, replace(district.project, models=models))
    with district.connect() as connection:
        new_visit(connection, random.Random(5))
    with pytest.raises(ModelFailed):
        broken.refresh()
    assert service.current().snapshot_id == before
    assert district.passes.refresh() is not None
    after = service.current().snapshot_id
    assert service.figures("DASH-01", YEAR, district.scope, after).value("visits") == (visits or 0) + 1
    service.close()
