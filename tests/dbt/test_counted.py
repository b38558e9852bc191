"""A disease counts on its first diagnosis of the year: what moves it moves the next, which no batch names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.dbt.bronze_fixture import Region, Store, create_region
from tests.dbt.conftest import Lake

COUNTED = "select encounter_id, icd10_code from lake.marts.fct_diagnosis where counted_case_flag order by all"
TABLES = ("fct_diagnosis", "agg_diagnosis_cell")


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
        return region.visit(region.roles[0], patient, datetime(2023, month, 10, 4, tzinfo=UTC), *codes,
                            kind="repeat", character="chronic_known")  # fmt: skip

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


@pytest.mark.requirement("XLS-02", "REP-02")
def test_the_next_one_counts(lake: Lake) -> None:
    region = create_region(Store())
    region.store.begin()
    years = [create_year(region, patient) for patient in region.patients[: len(CHANGES)]]
    lake.load(region.store)
    for year, (change, expected) in zip(years, CHANGES, strict=True):
        assert counted(lake, year) == {("february", "J06.9"), ("march", "I11.9")}
        region.store.begin()
        change(year)
        lake.load(region.store)
        assert counted(lake, year) == expected, change.__name__
    by_passes = lake.content()
    lake.rebuild()
    by_rebuild = lake.content()
    for table in TABLES:
        assert by_passes[table] == by_rebuild[table], table


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
