"""Random work of care: passes end in the same lake as a rebuild."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from tests.dbt.bronze_fixture import Store, create_region
from tests.dbt.care_fixture import Care, CareMutator, narrowed
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


@pytest.mark.requirement("MAT-10")
def test_a_planned_examination_follows_its_woman_on_the_day_that_it_is_due(lake: Lake) -> None:
    """An attachment that begins after the registration moves the examinations due from then on, not the pregnancy."""
    care = narrowed(lake, "fct_pregnancy", "fct_planned_pregnancy_visit")
    region = create_region(Store())
    work, store = Care(region), region.store
    first, second = region.polyclinics
    patient, registered = region.patients[0], date(2023, 6, 1)
    store.begin()
    work.pregnancy(first, patient, registered)
    care.load(store)
    columns = "select attachment_organisation_id, site_id from lake.marts"
    planned = f"{columns}.fct_planned_pregnancy_visit order by visit_no"
    old, new = (first, region.sites[first][0]), (second, region.sites[second][0])
    assert care.rows(planned) == [old, old]

    moved = registered + timedelta(weeks=12)
    dues = sorted(row["due_to"] for row in store.tables["planned_pregnancy_visit"].values())
    assert dues[0] < moved.isoformat() < dues[1]
    store.begin()
    held = next(key for key, row in store.tables["attachment"].items() if row["patient_id"] == patient)
    store.update("attachment", held, valid_to=moved)
    store.insert("attachment", owner_organisation_id=second, patient_id=patient, organisation_id=second,
                 site_id=new[1], valid_from=moved)  # fmt: skip
    care.load(store)
    assert care.rows(planned) == [old, new]
    assert care.rows(f"{columns}.fct_pregnancy") == [old]
    by_passes = care.content()
    care.rebuild()
    assert care.content() == by_passes
