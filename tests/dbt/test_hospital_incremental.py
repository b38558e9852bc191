"""Passes over random work of the hospitals end in the same lake as a rebuild, and the bed days of a stay are whole."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from tests.dbt.bronze_fixture import Store, create_region
from tests.dbt.care_fixture import narrowed
from tests.dbt.conftest import Lake
from tests.dbt.hospital_fixture import MODELS, HospitalWork, create_hospitals
from tests.dbt.test_incremental import Mutator


@pytest.fixture
def lake(lake: Lake) -> Lake:
    """The empty lake with the models of the hospital alone."""
    return narrowed(lake, *MODELS)


@pytest.mark.requirement("DASH-07", "DASH-08", "XLS-19", "XLS-22", "REP-19", "LIVE-05")
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_passes_over_random_hospital_work_equal_a_rebuild(lake: Lake, seed: int) -> None:
    """People are moved, merged and separated between the batches, organisations move in the tree."""
    region = create_region(Store())
    hospitals, people = (
        HospitalWork(create_hospitals(region), random.Random(seed)),
        Mutator(region, random.Random(seed)),
    )
    hospitals.batch(50)
    for changes in (8, 1, 12, 6):
        lake.load(region.store)
        hospitals.batch(changes)
        for _ in range(changes // 3):
            region.store.begin()
            people.rng.choice((people.person, people.staff))()
    lake.load(region.store)
    by_passes = lake.content()
    for table in MODELS:
        assert by_passes[table], table
    lake.rebuild()
    by_rebuild = lake.content()
    for table, rows in by_rebuild.items():
        assert by_passes[table] == rows, table


@pytest.mark.requirement("DASH-07", "XLS-22")
def test_a_directory_that_moves_a_code_moves_the_stays_that_read_it(lake: Lake) -> None:
    """The chapter of the cause of death, which no diagnosis of the stay names, and the class of an operation."""
    region = create_region(Store())
    hospitals, store = create_hospitals(region), region.store
    hospital, patient, admitted = hospitals.organisations[0], region.patients[0], datetime(2023, 3, 1, 5, tzinfo=UTC)
    left = admitted + timedelta(days=2)
    store.begin()
    stay = hospitals.stay(hospital, patient, admitted, left, outcome="died", code="I10")
    hospitals.operation(stay, admitted + timedelta(hours=3))
    hospitals.death(patient, left, hospital, code="S61.0")
    lake.load(store)
    told = """
        select stay.main_icd10_chapter, stay.underlying_icd10_chapter, operation.operation_class_code
        from lake.marts.fct_hospital_stay as stay
        join lake.marts.fct_operation as operation using (stay_id)
    """
    assert lake.rows(told) == [("IX", "XIX", "47")]

    codes = {row["code"]: key for key, row in store.tables["icd10"].items()}
    store.begin()
    store.update("icd10", codes["S60-S69"], parent_code="XXI")
    lake.load(store)
    assert lake.rows(told) == [("IX", "XXI", "47")]
    store.begin()
    store.update("operation", 1, class_code="48")
    lake.load(store)
    assert lake.rows(told) == [("IX", "XXI", "48")]
    by_passes = lake.content()
    lake.rebuild()
    assert lake.content() == by_passes


@pytest.mark.requirement("DASH-08")
def test_the_bed_days_of_its_movements_are_those_of_the_stay(lake: Lake) -> None:
    region = create_region(Store())
    HospitalWork(create_hospitals(region), random.Random(11)).batch(80)
    lake.load(region.store)
    differing = lake.rows("""
        select stay.stay_id, stay.bed_days, sum(movement.bed_days)
        from lake.marts.fct_hospital_stay as stay
        join lake.marts.fct_ward_movement as movement using (stay_id)
        where stay.discharged_date is not null
        group by stay.stay_id, stay.bed_days
        having stay.bed_days <> sum(movement.bed_days)
            or bool_or(movement.open_flag)
    """)
    assert differing == []
    ((ended, open_stays),) = lake.rows("select sum(left_hospital), sum(open_stays) from lake.marts.fct_hospital_stay")
    assert ended and open_stays


@pytest.mark.requirement("XLS-22", "DASH-07", "LIVE-05")
def test_the_cells_hold_what_the_facts_hold(lake: Lake) -> None:
    region = create_region(Store())
    HospitalWork(create_hospitals(region), random.Random(12)).batch(60)
    lake.load(region.store)
    for fact, cell, measures in (
        ("fct_hospital_stay", "agg_admission_cell", ("stays", "planned", "emergency", "operated", "open_stays")),
        ("fct_hospital_stay", "agg_discharge_cell", ("left_hospital", "deaths", "bed_days", "deaths_within_24h")),
        ("fct_hospital_presentation", "agg_presentation_cell", ("presentations", "waiting", "admitted", "refused")),
    ):
        sums = ", ".join(f"sum({measure})" for measure in measures)
        ended = "where discharged_date is not null" if cell == "agg_discharge_cell" else ""
        assert lake.rows(f"select {sums} from lake.marts.{cell}") == lake.rows(
            f"select {sums} from lake.marts.{fact} {ended}"
        )
