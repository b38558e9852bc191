"""Random work of care: passes end in the same lake as a rebuild."""

from __future__ import annotations

import random

import pytest

from tests.dbt.bronze_fixture import Store, create_region
from tests.dbt.care_fixture import CareMutator, narrowed
from tests.dbt.conftest import Lake

FACTS = (
    "fct_lab_result", "fct_imaging_study", "fct_pregnancy", "fct_pregnancy_visit", "fct_planned_pregnancy_visit",
    "fct_birth", "fct_home_call", "fct_signal_case", "fct_maternal_stay",
)  # fmt: skip
CELLS = ("agg_lab_result_cell", "agg_imaging_study_cell", "agg_home_call_cell", "agg_pregnancy_visit_cell")


@pytest.mark.requirement("LIVE-01", "LIVE-04", "MAT-05", "MAT-10", "MAT-11", "SIG-01", "SIG-06")
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_passes_over_random_care_equal_a_rebuild(lake: Lake, seed: int) -> None:
    care = narrowed(lake, *FACTS, *CELLS)
    region = create_region(Store())
    mutator = CareMutator(region, random.Random(seed))
    for changes in (90, 15, 1, 20, 8, 30):
        mutator.batch(changes)
        care.load(region.store)
    by_passes = care.content()
    assert all(by_passes[table] for table in FACTS + CELLS)
    care.rebuild()
    by_rebuild = care.content()
    for table, rows in by_rebuild.items():
        assert by_passes[table] == rows, table
