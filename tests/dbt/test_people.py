"""Merged and separated records, and diseases counted once per person and year."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.dbt.bronze_fixture import Region, Store, create_region
from tests.dbt.conftest import Lake

PEOPLE = """
    select count(distinct person.person_no)
    from (select unnest(persons) as patient_no from lake.marts.agg_visit_cell) as cell
    join lake.marts.dim_person as person on person.patient_no = cell.patient_no
"""


def at(day: date, hour: int = 5) -> datetime:
    """A moment of the morning of the day, in UTC."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def create_two_records(lake: Lake) -> tuple[Region, int, int]:
    """A region in which one person has two records, each with a visit for hypertension in 2023."""
    store = Store()
    region = create_region(store)
    first, second = region.patients[0], region.patients[6]
    store.begin()
    region.visit(region.roles[0], first, at(date(2023, 3, 1)), "I11.9", character="chronic_known")
    region.visit(region.roles[2], second, at(date(2023, 5, 1)), "I11.9", character="chronic_known")
    lake.load(store)
    return region, first, second


def merge(region: Region, source: int, target: int) -> None:
    """Merges the source record into the target."""
    region.store.begin()
    region.store.update("patient", source, merged_into_id=target)


def counted(lake: Lake) -> list[tuple[Any, ...]]:
    """Event date and whether each diagnosis counts."""
    return lake.rows("select event_date, counted_cases from lake.marts.fct_diagnosis order by all")


@pytest.mark.requirement("DASH-01", "XLS-01")
def test_a_merge_and_a_separation_move_every_figure(lake: Lake) -> None:
    region, first, second = create_two_records(lake)
    before = lake.content()
    assert lake.rows(PEOPLE) == [(2,)]
    assert [row[1] for row in counted(lake)] == [1, 1]
    merge(region, second, first)
    lake.load(region.store)
    assert lake.rows(PEOPLE) == [(1,)]
    assert [row[1] for row in counted(lake)] == [1, 0]
    survivor = region.row("patient", first)
    assert lake.rows("select distinct sex from lake.marts.fct_visit") == [(survivor["sex"],)]
    assert lake.rows("select sum(counted_cases) from lake.marts.agg_diagnosis_cell") == [(1,)]
    region.store.begin()
    region.store.update("patient", second, merged_into_id=None)
    lake.load(region.store)
    assert lake.content() == before


@pytest.mark.requirement("XLS-01")
def test_the_attached_population_counts_a_merged_person_once(lake: Lake) -> None:
    region, first, second = create_two_records(lake)
    population = """
        select count(*) from lake.marts.dim_attachment
        where date '2023-06-01' >= valid_from and date '2023-06-01' < valid_to
    """
    (before,) = lake.rows(population)[0]
    merge(region, second, first)
    lake.load(region.store)
    assert lake.rows(population) == [(before - 1,)]
    region.store.begin()
    region.store.update("patient", first, death_date=date(2023, 5, 31))
    lake.load(region.store)
    assert lake.rows(population) == [(before - 2,)]


@pytest.mark.requirement("XLS-01")
def test_a_chronic_disease_counts_once_a_year_and_follows_a_moved_visit(lake: Lake) -> None:
    store = Store()
    region = create_region(store)
    patient, role = region.patients[0], region.roles[0]
    store.begin()
    visits = [region.visit(role, patient, at(day), "I11.9", character="chronic_known")
              for day in (date(2023, 2, 1), date(2023, 4, 1), date(2024, 2, 1))]  # fmt: skip
    for day, kind in ((date(2023, 2, 3), "primary"), (date(2023, 2, 8), "repeat"), (date(2023, 9, 1), "primary")):
        region.visit(role, patient, at(day), "J06.9", kind=kind)
    lake.load(store)
    assert counted(lake) == [
        (date(2023, 2, 1), 1), (date(2023, 2, 3), 1), (date(2023, 2, 8), 0), (date(2023, 4, 1), 0),
        (date(2023, 9, 1), 1), (date(2024, 2, 1), 1),
    ]  # fmt: skip
    store.begin()
    store.update("encounter", visits[0], status="entered_in_error", voided_at=store.now, void_reason="wrong_patient")
    store.update("encounter", visits[2], started_at=at(date(2023, 12, 1)), ended_at=at(date(2023, 12, 1), 6))
    lake.load(store)
    assert counted(lake) == [
        (date(2023, 2, 3), 1), (date(2023, 2, 8), 0), (date(2023, 4, 1), 1), (date(2023, 9, 1), 1),
        (date(2023, 12, 1), 0),
    ]  # fmt: skip
    assert lake.rows("select sum(counted_cases), sum(diagnoses) from lake.marts.agg_diagnosis_cell") == [(3, 5)]


@pytest.mark.requirement("REP-01", "REP-02")
def test_late_and_corrected_rows_change_the_figure_they_belong_to(lake: Lake) -> None:
    store = Store()
    region = create_region(store)
    store.begin()
    slot = region.slot(region.roles[0], at(date(2023, 3, 1)))
    booking = region.booking(slot, region.patients[0])
    visit = region.visit(region.roles[0], region.patients[0], at(date(2023, 3, 1)), "J06.9", status="in_progress",
                         appointment=booking)  # fmt: skip
    lake.load(store)
    assert lake.rows("select count(*) from lake.marts.fct_visit") == [(0,)]
    assert lake.rows("select booked, free, attended from lake.marts.fct_slot") == [(1, 0, 0)]
    store.begin()
    store.update("encounter", visit, status="finished", ended_at=at(date(2023, 3, 1), 6), outcome="improvement",
                 signed_at=store.now)  # fmt: skip
    store.update("appointment", booking, status="fulfilled")
    lake.load(store)
    assert lake.rows("select visits, signed_visits, amount_kzt, main_icd10_chapter from lake.marts.agg_visit_cell") == [
        (1, 1, 3521, "X")
    ]
    assert lake.rows("select attended, encounter_id from lake.marts.fct_appointment") == [(1, visit)]
    condition = next(iter(store.tables["condition"]))
    store.begin()
    store.update("condition", condition, icd10_code="S61.0")
    store.update("encounter", visit, started_at=at(date(2023, 3, 2)), ended_at=at(date(2023, 3, 2), 6))
    lake.load(store)
    assert lake.rows("select event_date, main_icd10_chapter from lake.marts.agg_visit_cell") == [
        (date(2023, 3, 2), "XIX")
    ]
    assert lake.rows("select event_date, injuries from lake.marts.agg_diagnosis_cell") == [(date(2023, 3, 2), 1)]
    store.begin()
    store.update("appointment", booking, status="cancelled", cancelled_at=store.now, cancel_reason="moved")
    lake.load(store)
    assert lake.rows("select booked, free from lake.marts.agg_slot_cell") == [(0, 1)]
