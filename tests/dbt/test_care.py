"""What moves the facts of care: take-over, two records of one woman, corrections, voids, the end of a pregnancy."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.dbt.bronze_fixture import Store, create_region
from tests.dbt.care_fixture import Care, narrowed
from tests.dbt.conftest import Lake

DAY = date(2023, 6, 1)
NOON = datetime(2023, 6, 1, 7, tzinfo=UTC)


@pytest.fixture
def care(lake: Lake) -> tuple[Care, Lake]:
    """The small region and the lake of these facts."""
    facts = ("fct_lab_result", "fct_imaging_study", "fct_pregnancy", "fct_planned_pregnancy_visit", "fct_birth",
             "fct_signal_case", "fct_maternal_stay", "agg_lab_result_cell")  # fmt: skip
    return Care(create_region(Store())), narrowed(lake, *facts)


def told(lake: Lake, columns: str, table: str) -> list[tuple[Any, ...]]:
    """The columns of a fact's rows in one order."""
    return lake.rows(f"select {columns} from lake.marts.{table} order by all")


@pytest.mark.requirement("MAT-10")
def test_a_pregnancy_that_is_taken_over_moves_and_counts_once(care: tuple[Care, Lake]) -> None:
    work, lake = care
    first, second = work.region.polyclinics
    work.store.begin()
    pregnancy = work.pregnancy(first, work.region.patients[0], DAY)
    lake.load(work.store)
    columns = "owner_organisation_id, district_id, first_organisation_id, taken_over_flag, counted_flag"
    districts = work.region.districts
    assert told(lake, columns, "fct_pregnancy") == [(first, districts[0], first, False, True)]
    work.store.begin()
    work.take_over(pregnancy, second, DAY + timedelta(days=30))
    lake.load(work.store)
    assert told(lake, columns, "fct_pregnancy") == [(second, districts[1], first, True, True)]
    # planned examinations are missed where the pregnancy is led now
    assert {row[0] for row in told(lake, "owner_organisation_id", "fct_planned_pregnancy_visit")} == {second}


@pytest.mark.requirement("MAT-10", "LIVE-01")
def test_two_open_pregnancies_of_one_woman_count_once_until_her_records_are_separated(care: tuple[Care, Lake]) -> None:
    work, lake = care
    one, other = work.region.patients[0], work.region.patients[6]
    work.store.begin()
    earlier = work.pregnancy(work.region.polyclinics[0], one, DAY)
    later = work.pregnancy(work.region.polyclinics[1], other, DAY + timedelta(days=20))
    lake.load(work.store)
    counted = "pregnancy_id, counted_flag"
    apart = [(earlier, True), (later, True)]
    assert told(lake, counted, "fct_pregnancy") == apart
    work.store.begin()
    work.store.update("patient", one, merged_into_id=other)
    lake.load(work.store)
    assert told(lake, counted, "fct_pregnancy") == [(earlier, True), (later, False)]
    assert told(lake, f"distinct {counted}", "fct_planned_pregnancy_visit") == [(earlier, True), (later, False)]
    work.store.begin()
    work.store.update("pregnancy", earlier, voided_at=work.store.now)
    lake.load(work.store)
    assert told(lake, counted, "fct_pregnancy") == [(later, True)]
    work.store.begin()
    work.store.update("pregnancy", earlier, voided_at=None)
    work.store.update("patient", one, merged_into_id=None)
    lake.load(work.store)
    assert told(lake, counted, "fct_pregnancy") == apart


@pytest.mark.requirement("MAT-11")
def test_an_examination_is_missed_until_somebody_comes_and_again_when_the_visit_is_voided(
    care: tuple[Care, Lake],
) -> None:
    work, lake = care
    work.store.begin()
    pregnancy = work.pregnancy(work.region.polyclinics[0], work.region.patients[0], DAY, weeks=8)
    lake.load(work.store)
    columns = "visit_no, missed_from, missed_until, missed_in_a_row"
    due = [DAY - timedelta(weeks=8) + timedelta(weeks=10 + 6 * number, days=14) for number in (1, 2)]
    never = date(9999, 12, 31)
    missed = [(1, due[0] + timedelta(days=1), never, 1), (2, due[1] + timedelta(days=1), never, 2)]
    assert told(lake, columns, "fct_planned_pregnancy_visit") == missed
    work.store.begin()
    came = due[0] + timedelta(days=9)
    visit = work.examination(pregnancy, datetime(came.year, came.month, came.day, 5, tzinfo=UTC), 1)
    lake.load(work.store)
    assert told(lake, columns, "fct_planned_pregnancy_visit") == [
        (1, due[0] + timedelta(days=1), came, 0), (2, due[1] + timedelta(days=1), never, 1),
    ]  # fmt: skip
    work.store.begin()
    work.store.update("pregnancy_visit", visit, voided_at=work.store.now)
    lake.load(work.store)
    assert told(lake, columns, "fct_planned_pregnancy_visit") == missed
    work.store.begin()
    work.store.update("pregnancy", pregnancy, ended_on=due[1], outcome="birth")
    lake.load(work.store)
    assert [row[2] for row in told(lake, columns, "fct_planned_pregnancy_visit")] == [due[1], due[1]]


@pytest.mark.requirement("MAT-05")
def test_a_stay_is_a_maternal_one_to_the_42nd_day_and_says_why_it_is_critical(care: tuple[Care, Lake]) -> None:
    work, lake = care
    clinic, woman = work.region.polyclinics[0], work.region.patients[0]
    work.store.begin()
    pregnancy = work.pregnancy(clinic, woman, DAY, weeks=30)
    work.store.update("pregnancy", pregnancy, ended_on=DAY + timedelta(days=60), outcome="birth")
    on_last = work.stay(clinic, woman, NOON + timedelta(days=102))
    work.stay(clinic, woman, NOON + timedelta(days=103))
    without = work.stay(clinic, work.region.patients[1], NOON, "O14.1")
    lake.load(work.store)
    columns = "hospital_stay_id, phase, critical_reason, in_icu_flag"
    assert told(lake, columns, "fct_maternal_stay") == [
        (on_last, "after", "none", False), (without, "unregistered", "preeclampsia", False),
    ]  # fmt: skip
    work.store.begin()
    sign = work.sign(on_last, NOON + timedelta(days=103), 165, chills=True)
    work.store.insert(
        "ward_movement", owner_organisation_id=clinic, patient_id=woman, stay_id=on_last, bed_profile="intensive_care",
        department_id=work.wards[clinic]["intensive_care"], started_at=NOON + timedelta(days=103),
    )  # fmt: skip
    lake.load(work.store)
    assert told(lake, columns, "fct_maternal_stay")[0] == (on_last, "after", "high_pressure", True)
    work.store.begin()
    work.store.update("vital_sign", sign, voided_at=work.store.now)
    lake.load(work.store)
    assert told(lake, columns, "fct_maternal_stay")[0] == (on_last, "after", "intensive_care", True)


@pytest.mark.requirement("LIVE-01")
def test_twins_are_one_delivery_whichever_of_them_is_voided(care: tuple[Care, Lake]) -> None:
    work, lake = care
    work.store.begin()
    clinic, woman = work.region.polyclinics[0], work.region.patients[0]
    first = work.birth(clinic, woman, NOON)
    second = work.birth(clinic, woman, NOON + timedelta(minutes=9), order=2)
    lake.load(work.store)
    assert told(lake, "birth_id, deliveries", "fct_birth") == [(first, 1), (second, 0)]
    work.store.begin()
    work.store.update("birth", first, voided_at=work.store.now)
    lake.load(work.store)
    assert told(lake, "birth_id, deliveries", "fct_birth") == [(second, 1)]


def test_a_corrected_value_changes_its_figure_and_a_study_counts_when_it_has_its_person(
    care: tuple[Care, Lake],
) -> None:
    work, lake = care
    clinic, patient = work.region.polyclinics[0], work.region.patients[0]
    work.store.begin()
    order = work.order(clinic, patient, NOON)
    report = work.report(clinic, patient, NOON + timedelta(hours=3), order, 150.0)
    study = work.study(clinic, None, NOON)
    lake.load(work.store)
    assert told(lake, "value_number, abnormal, turnaround_hours", "fct_lab_result") == [(150, 1, 3)]
    assert told(lake, "count(*)", "fct_imaging_study") == [(0,)]
    work.store.begin()
    (value,) = work.store.tables["lab_result"]
    work.store.update("lab_result", value, value_number=120.5, interpretation="N", status="corrected")
    work.store.update("imaging_study", study, patient_id=patient, matched_at=NOON)
    lake.load(work.store)
    assert told(lake, "value_number, abnormal, corrected", "fct_lab_result") == [(120.5, 0, 1)]
    assert told(lake, "results, abnormal, corrected", "agg_lab_result_cell") == [(1, 0, 1)]
    assert told(lake, "patient_no, instances", "fct_imaging_study") == [(1, 3)]
    work.store.begin()
    work.store.update("diagnostic_report", report, voided_at=work.store.now)
    lake.load(work.store)
    assert told(lake, "count(*)", "fct_lab_result") == told(lake, "count(*)", "agg_lab_result_cell") == [(0,)]


@pytest.mark.requirement("SIG-01", "SIG-04", "SIG-06")
def test_a_case_shows_the_active_the_operation_and_the_last_visit_of_its_person(care: tuple[Care, Lake]) -> None:
    work, lake = care
    clinic, patient = work.region.polyclinics[0], work.region.patients[0]
    work.store.begin()
    stay = work.stay(clinic, patient, NOON - timedelta(days=9))
    case = work.case(clinic, patient, NOON, "SIG-04", subject_id=stay)
    death = work.case(clinic, patient, NOON, "SIG-06", "death")
    lake.load(work.store)
    columns = "signal_case_id, active_flag, operation_code, days_to_first_contact, last_visit_date"
    assert told(lake, columns, "fct_signal_case") == [(case, False, None, None, None), (death, False, None, None, None)]
    work.store.begin()
    work.call(clinic, patient, NOON + timedelta(days=1), "active", "done")
    work.region.visit(work.region.roles[0], patient, NOON - timedelta(days=5), "I10")
    work.store.insert(
        "stay_operation", owner_organisation_id=clinic, patient_id=patient, stay_id=stay, operation_code="OP05-02",
        started_at=NOON - timedelta(days=8), surgeon_id=1, urgency="planned", anaesthesia="general",
    )  # fmt: skip
    lake.load(work.store)
    assert told(lake, columns, "fct_signal_case") == [
        (case, True, "OP05-02", 1, None), (death, True, None, 1, DAY - timedelta(days=5)),
    ]  # fmt: skip
