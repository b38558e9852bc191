"""A disease counts on its first diagnosis of the year: what moves it moves the next, which no batch names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.dbt.bronze_fixture import Region, Store, create_region
from tests.dbt.conftest import Lake

COUNTED = "select encounter_id, icd10_code from lake.marts.fct_diagnosis where counted_case_flag order by all"
FACT, CELLS = "lake.marts.fct_diagnosis", "lake.marts.agg_diagnosis_cell"
BY_FACT = f"select event_date, practitioner_id, icd10_code, sum(counted_cases) from {FACT} group by all order by all"
BY_CELL = f"select event_date, practitioner_id, icd10_code, sum(counted_cases) from {CELLS} group by all order by all"


@dataclass
class Year:
    """A person's repeat visits: a cold in February and March, a heart disease from March to May."""

    region: Region
    patient: int
    february: int = 0
    march: int = 0
    april: int = 0
    may: int = 0

    @property
    def store(self) -> Store:
        return self.region.store

    def condition(self, visit: int) -> int:
        """A diagnosis of a visit."""
        return next(key for key, row in self.store.tables["condition"].items() if row["encounter_id"] == visit)


def create_year(region: Region, patient: int) -> Year:
    def visit(month: int, *codes: str) -> int:
        at = datetime(2023, month, region.patients.index(patient) + 1, 4, tzinfo=UTC)
        return region.visit(region.roles[month % 2], patient, at, *codes, kind="repeat", character="chronic_known")

    year = Year(region, patient)
    year.february, year.march = visit(2, "J06.9"), visit(3, "J06.9", "I11.9")
    year.april, year.may = visit(4, "I11.9"), visit(5, "I11")
    return year


def void(year: Year) -> None:
    year.store.update("encounter", year.february, status="entered_in_error", voided_at=year.store.now)


def correct_code(year: Year) -> None:
    year.store.update("condition", year.condition(year.february), icd10_code="Z00.0")


def remove_diagnosis(year: Year) -> None:
    year.store.delete("condition", year.condition(year.february))


def move_behind(year: Year) -> None:
    at = datetime(2023, 6, 1, 4, tzinfo=UTC)
    year.store.update("encounter", year.february, started_at=at, ended_at=at + timedelta(minutes=9))


def move_to_another_year(year: Year) -> None:
    at = datetime(2022, 6, 1, 4, tzinfo=UTC)
    year.store.update("encounter", year.february, started_at=at, ended_at=at + timedelta(minutes=9))


def give_to_another_person(year: Year) -> None:
    year.store.update("encounter", year.february, patient_id=year.region.patients[-1])


def hand_diagnosis_to_another_visit(year: Year) -> None:
    year.store.update("condition", year.condition(year.february), encounter_id=year.april)


def move_code(year: Year) -> None:
    """I11.9 goes to another category: I11, which is no code that moved, is the first of its own now."""
    code = next(key for key, row in year.store.tables["icd10"].items() if row["code"] == "I11.9")
    year.store.update("icd10", code, parent_code="I10")


BOTH_OF_MARCH = {("march", "I11.9"), ("march", "J06.9")}
CHANGES: tuple[tuple[Callable[[Year], None], set[tuple[str, str]]], ...] = (
    (void, BOTH_OF_MARCH),
    (correct_code, BOTH_OF_MARCH | {("february", "Z00.0")}),
    (remove_diagnosis, BOTH_OF_MARCH),
    (move_behind, BOTH_OF_MARCH),
    (move_to_another_year, BOTH_OF_MARCH | {("february", "J06.9")}),
    (give_to_another_person, BOTH_OF_MARCH | {("february", "J06.9")}),
    (hand_diagnosis_to_another_visit, BOTH_OF_MARCH),
    (move_code, {("february", "J06.9"), ("march", "I11.9"), ("may", "I11")}),
)


def counted(lake: Lake, year: Year) -> set[tuple[str, str]]:
    """Month and code of the person's diagnoses that count."""
    months = {getattr(year, month): month for month in ("february", "march", "april", "may")}
    return {(months[visit], code) for visit, code in lake.rows(COUNTED) if visit in months}


def proved(lake: Lake) -> None:
    """The counted cases of the cells are those of the fact, and both are those of a rebuild."""
    fact, cells = lake.rows(BY_FACT), lake.rows(BY_CELL)
    assert fact == cells
    lake.rebuild()
    assert (lake.rows(BY_FACT), lake.rows(BY_CELL)) == (fact, cells)


@pytest.mark.requirement("XLS-02", "REP-02")
def test_the_next_one_counts(lake: Lake) -> None:
    region = create_region(Store())
    region.store.begin()
    years = [create_year(region, patient) for patient in region.patients[: len(CHANGES)]]
    lake.load(region.store)
    for year, (change, expected) in zip(years, CHANGES, strict=True):
        if change is move_code:  # it moves everybody's
            proved(lake)
        assert counted(lake, year) == {("february", "J06.9"), ("march", "I11.9")}
        region.store.begin()
        change(year)
        lake.load(region.store)
        assert counted(lake, year) == expected, change.__name__
        assert lake.rows(BY_FACT) == lake.rows(BY_CELL), change.__name__
    proved(lake)


@pytest.mark.requirement("XLS-02")
def test_records_of_a_person_that_are_merged_and_separated(lake: Lake) -> None:
    region = create_region(Store())
    region.store.begin()
    years = [create_year(region, patient) for patient in region.patients[:2]]
    lake.load(region.store)
    first, second = years
    region.store.begin()
    region.store.update("patient", second.patient, merged_into_id=first.patient)
    lake.load(region.store)
    assert counted(lake, first) == {("february", "J06.9"), ("march", "I11.9")}
    assert counted(lake, second) == set()
    region.store.begin()
    region.store.update("patient", second.patient, merged_into_id=None)
    region.store.update("encounter", second.february, patient_id=first.patient)
    lake.load(region.store)
    assert counted(lake, second) == {("march", "I11.9"), ("march", "J06.9")}
    proved(lake)


def give_twice(year: Year, early: int, late: int) -> None:
    """The visit goes to a second person and then, with another diagnosis, to a third; the second change began first."""
    store, others = year.store, year.region.patients[-2:]
    store.xid = late
    store.update("encounter", year.february, patient_id=others[0])
    store.xid = early
    store.update("condition", year.condition(year.february), icd10_code="Z00.0")
    store.update("encounter", year.february, patient_id=others[1])


def correct_and_give(year: Year, early: int, late: int) -> None:
    """The diagnosis is corrected, then again, and the visit goes to another person; the second change began first."""
    store = year.store
    store.xid = late
    store.update("condition", year.condition(year.february), icd10_code="Z00.0")
    store.xid = early
    store.update("condition", year.condition(year.february), icd10_code="S61.0")
    store.update("encounter", year.february, patient_id=year.region.patients[-1])


def correct_and_remove(year: Year, early: int, late: int) -> None:
    """The diagnosis is corrected, then it and its visit are removed; the second change began first."""
    store, key = year.store, year.condition(year.february)
    store.xid = late
    store.update("condition", key, icd10_code="Z00.0")
    store.xid = early
    for table in ("condition", "procedure", "service_request"):
        for row in [row for row, of in store.tables[table].items() if of["encounter_id"] == year.february]:
            store.delete(table, row)
    store.delete("encounter", year.february)


@pytest.mark.requirement("XLS-02", "REP-02")
def test_the_next_one_counts_when_a_change_comes_late(lake: Lake) -> None:
    """A pass sees the change that was made last first, and the one before it, superseded, in the next pass."""
    region = create_region(Store())
    region.store.begin()
    changes = (give_twice, correct_and_give, correct_and_remove)
    years = [create_year(region, patient) for patient in region.patients[: len(changes)]]
    lake.load(region.store)
    for year, change in zip(years, changes, strict=True):
        early, late = region.store.begin(), region.store.begin()
        change(year, early, late)
        region.store.xid = late
        lake.load(region.store, upto=early)
        lake.load(region.store)
        assert ("march", "J06.9") in counted(lake, year), change.__name__
        assert lake.rows(BY_FACT) == lake.rows(BY_CELL), change.__name__
    proved(lake)


@pytest.mark.requirement("XLS-02")
def test_visits_that_share_no_disease_are_left_alone(lake: Lake) -> None:
    region = create_region(Store())
    region.store.begin()
    year = create_year(region, region.patients[0])
    lake.load(region.store)
    region.store.begin()
    correct_code(year)
    lake.load(region.store)
    written = lake.rows("select distinct encounter_id from batch_fct_diagnosis order by all")
    assert written == [(year.february,), (year.march,)]


@pytest.mark.requirement("XLS-02")
def test_a_corrected_service_leaves_diagnoses_alone(lake: Lake) -> None:
    region = create_region(Store())
    region.store.begin()
    year = create_year(region, region.patients[0])
    lake.load(region.store)
    region.store.begin()
    service = next(key for key, row in region.store.tables["procedure"].items() if row["encounter_id"] == year.february)
    region.store.update("procedure", service, quantity=3)
    lake.load(region.store)
    assert lake.rows(f"select quantity from lake.marts.fct_service where procedure_id = {service}") == [(3,)]
    assert lake.rows(f"select services_count from lake.marts.fct_visit where encounter_id = {year.february}") == [(1,)]
    for table in ("fct_diagnosis", "agg_diagnosis_cell", "fct_referral"):
        assert lake.rows(f"select count(*) from batch_{table}") == [(0,)], table
    proved(lake)
