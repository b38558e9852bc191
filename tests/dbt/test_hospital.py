"""A stay with its diagnoses, movements, operation and death, and what a correction of each moves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.dbt.bronze_fixture import Store, create_region
from tests.dbt.care_fixture import narrowed
from tests.dbt.conftest import Lake
from tests.dbt.hospital_fixture import MODELS, Hospitals, create_hospitals

OPEN = date(9999, 12, 31)


@pytest.fixture
def lake(lake: Lake) -> Lake:
    """The empty lake with the models of the hospital alone."""
    return narrowed(lake, *MODELS)


def at(day: int, hour: int = 5) -> datetime:
    """A moment of the day of March 2023, in UTC; 5 is 10 in the morning there, 20 is the next day."""
    return datetime(2023, 3, day, hour, tzinfo=UTC)


@pytest.fixture
def hospitals() -> Hospitals:
    """Two hospitals over the small region."""
    return create_hospitals(create_region(Store()))


def stays(lake: Lake, columns: str) -> list[tuple[object, ...]]:
    """Columns of the stays, by key."""
    return lake.rows(f"select {columns} from lake.marts.fct_hospital_stay order by stay_id")


@pytest.mark.requirement("DASH-07", "XLS-19")
def test_the_main_diagnosis_is_the_final_one_else_the_clinical_else_that_of_admission(
    lake: Lake, hospitals: Hospitals
) -> None:
    store, main = hospitals.region.store, "main_icd10_code, main_icd10_chapter"
    store.begin()
    stay = hospitals.stay(hospitals.organisations[0], hospitals.region.patients[0], at(1), code="I10")
    lake.load(store)
    assert stays(lake, main) == [("I10", "IX")]
    store.begin()
    clinical = hospitals.diagnosis(stay, "clinical", "J06.9")
    hospitals.diagnosis(stay, "final", "Z00.0", rank="comorbid")
    lake.load(store)
    assert stays(lake, main) == [("J06.9", "X")]
    store.begin()
    final = hospitals.diagnosis(stay, "final", "S61.0")
    lake.load(store)
    assert stays(lake, main) == [("S61.0", "XIX")]
    assert lake.rows("select main_icd10_chapter, stays from lake.marts.agg_admission_cell") == [("XIX", 1)]
    store.begin()
    store.update("stay_diagnosis", final, voided_at=store.now, void_reason="mistake")
    store.update("stay_diagnosis", clinical, icd10_code="I11.9")
    lake.load(store)
    assert stays(lake, main + ", final_icd10_code") == [("I11.9", "IX", None)]


@pytest.mark.requirement("DASH-08")
def test_a_day_belongs_to_the_department_where_the_patient_was_at_its_end(lake: Lake, hospitals: Hospitals) -> None:
    store = hospitals.region.store
    store.begin()
    stay = hospitals.stay(hospitals.organisations[0], hospitals.region.patients[0], at(1))
    hospitals.move(stay, at(1, 9))
    hospitals.move(stay, at(4, 9), "ward", "therapeutic")
    columns = "bed_profile, bed_from, bed_to, left_date, bed_days"
    beds = f"select {columns} from lake.marts.fct_ward_movement order by started_at"
    lake.load(store)
    assert lake.rows(beds) == [
        ("therapeutic", date(2023, 3, 1), date(2023, 3, 1), date(2023, 3, 1), 0),
        ("intensive_care", date(2023, 3, 1), date(2023, 3, 4), date(2023, 3, 4), 3),
        ("therapeutic", date(2023, 3, 4), OPEN, OPEN, None),
    ]
    assert stays(lake, "bed_days, icu_flag, open_stays, last_bed_profile") == [(None, True, 1, "therapeutic")]
    store.begin()
    # 20:00 in Greenwich is already the next local day
    hospitals.discharge(stay, at(6, 20))
    lake.load(store)
    assert lake.rows(beds)[2] == ("therapeutic", date(2023, 3, 4), date(2023, 3, 7), date(2023, 3, 7), 3)
    assert stays(lake, "discharged_date, bed_days, left_hospital") == [(date(2023, 3, 7), 6, 1)]
    assert lake.rows("select discharged_date, bed_days from lake.marts.agg_discharge_cell") == [(date(2023, 3, 7), 6)]


@pytest.mark.requirement("DASH-08")
def test_a_stay_of_one_day_and_a_day_hospital_count_the_last_day_too(lake: Lake, hospitals: Hospitals) -> None:
    store, patients = hospitals.region.store, hospitals.region.patients
    store.begin()
    hospitals.stay(hospitals.organisations[0], patients[0], at(1), at(1, 9))
    hospitals.stay(hospitals.organisations[0], patients[1], at(1), at(3), kind="day")
    hospitals.stay(hospitals.organisations[0], patients[2], at(1), at(3))
    lake.load(store)
    assert stays(lake, "bed_days") == [(1,), (3,), (2,)]


@pytest.mark.requirement("XLS-22", "REP-19")
def test_a_death_in_hospital_is_told_with_its_hours_and_cause(lake: Lake, hospitals: Hospitals) -> None:
    store, (patient, other) = hospitals.region.store, hospitals.region.patients[:2]
    hospital = hospitals.organisations[0]
    store.begin()
    early = hospitals.stay(hospital, patient, at(1), at(2, 4), outcome="died")
    hospitals.stay(hospital, other, at(1), at(2, 5), outcome="died")
    hospitals.operation(early, at(1, 8))
    hospitals.death(patient, at(2, 4), hospital)
    hospitals.death(other, at(2, 5), hospital)
    lake.load(store)
    told = "hours_to_death, died_within_24h_flag, deaths_within_24h, operated, underlying_icd10_code, autopsy_flag"
    assert stays(lake, told) == [
        (23, True, 1, 1, "I11.9", True), (24, False, 0, 0, "I11.9", True),
    ]  # fmt: skip
    assert lake.rows("select sum(deaths), sum(left_hospital) from lake.marts.agg_discharge_cell") == [(2, 2)]
    assert lake.rows("select count(*) from lake.marts.dim_death_certificate") == [(2,)]
    store.begin()
    store.update("death", 1, voided_at=store.now, void_reason="mistake")
    hospitals.discharge(early, at(3, 5))
    lake.load(store)
    assert stays(lake, "outcome, underlying_icd10_code, deaths")[0] == ("discharged", None, 0)
    assert lake.rows("select count(*) from lake.marts.fct_death") == [(1,)]


@pytest.mark.requirement("XLS-22")
def test_a_death_elsewhere_knows_the_last_discharge_of_any_record_of_the_person(
    lake: Lake, hospitals: Hospitals
) -> None:
    region = hospitals.region
    store, first, second = region.store, region.patients[0], region.patients[1]
    store.begin()
    hospitals.stay(hospitals.organisations[0], second, at(1), at(5))
    hospitals.stay(hospitals.organisations[0], first, at(20), None)
    death = hospitals.death(first, at(12))
    lake.load(store)
    columns = "last_discharge_date, days_since_discharge, in_hospital, underlying_icd10_chapter"
    told = f"select {columns} from lake.marts.fct_death"
    assert lake.rows(told) == [(None, None, 0, "IX")]
    store.begin()
    store.update("patient", second, merged_into_id=first)
    lake.load(store)
    assert lake.rows(told) == [(date(2023, 3, 5), 7, 0, "IX")]
    store.begin()
    store.update("patient", second, merged_into_id=None)
    store.update("death", death, underlying_icd10="J06.9")
    lake.load(store)
    assert lake.rows(told) == [(None, None, 0, "X")]


@pytest.mark.requirement("LIVE-05")
def test_a_presentation_waits_until_it_is_decided(lake: Lake, hospitals: Hospitals) -> None:
    store, hospital = hospitals.region.store, hospitals.organisations[0]
    store.begin()
    arrival = hospitals.arrival(hospital, hospitals.region.patients[0], at(1, 18), "waiting")
    lake.load(store)
    columns = "event_date, decided_date, waiting, admitted, wait_minutes, bed_profile"
    told = f"select {columns} from lake.marts.fct_hospital_presentation"
    assert lake.rows(told) == [(date(2023, 3, 1), OPEN, 1, 0, None, None)]
    store.begin()
    store.update("hospital_presentation", arrival, decision="admitted", decided_at=at(1, 20), seen_at=at(1, 19))
    hospitals.stay(hospital, hospitals.region.patients[0], at(1, 20), presentation=arrival)
    lake.load(store)
    assert lake.rows(told) == [(date(2023, 3, 1), date(2023, 3, 2), 0, 1, 120, "therapeutic")]
    assert lake.rows("select admitted, waiting from lake.marts.agg_presentation_cell") == [(1, 0)]
    store.begin()
    store.update("hospital_presentation", arrival, voided_at=store.now, void_reason="mistake")
    lake.load(store)
    assert lake.rows(told) == []


@pytest.mark.requirement("DASH-07")
def test_the_parts_of_a_voided_stay_leave_with_it(lake: Lake, hospitals: Hospitals) -> None:
    store = hospitals.region.store
    store.begin()
    stay = hospitals.stay(hospitals.organisations[0], hospitals.region.patients[0], at(1), at(9))
    hospitals.move(stay, at(2))
    hospitals.operation(stay, at(2, 7))
    hospitals.transfusion(stay, at(3))
    lake.load(store)
    count = "select count(*) from lake.marts."
    parts = ("fct_hospital_stay", "fct_operation", "fct_transfusion", "agg_admission_cell", "agg_discharge_cell")
    assert [lake.rows(count + part) for part in parts] == [[(1,)]] * len(parts)
    assert lake.rows("select bed_profile, department_id from lake.marts.fct_operation") == [
        ("intensive_care", hospitals.wards[hospitals.organisations[0]]["icu"])
    ]
    store.begin()
    store.update("hospital_stay", stay, voided_at=store.now, void_reason="mistake")
    lake.load(store)
    assert [lake.rows(count + part) for part in (*parts, "fct_ward_movement")] == [[(0,)]] * (len(parts) + 1)


@pytest.mark.requirement("DASH-08")
def test_beds_follow_their_hospital_through_the_tree(lake: Lake, hospitals: Hospitals) -> None:
    store, region = hospitals.region.store, hospitals.region
    hospital, moved_on = hospitals.organisations[0], date(2023, 3, 10)
    version = max(key for key, row in store.tables["organisation_version"].items()
                  if row["organisation_id"] == hospital)  # fmt: skip
    store.begin()
    hospitals.stay(hospital, region.patients[0], at(8), at(12))
    store.update("organisation_version", version, valid_to=moved_on)
    store.insert("organisation_version", organisation_id=hospital, parent_id=region.districts[1], name_kk="H",
                 name_ru="H", kato_code="274800000", valid_from=moved_on, perinatal_level=2)  # fmt: skip
    lake.load(store)
    beds = lake.rows(f"""
        select district_id, beds, valid_to from lake.marts.dim_bed_stock
        where owner_organisation_id = {hospital} and bed_profile = 'therapeutic' order by valid_from
    """)
    assert beds == [(region.districts[0], 10, moved_on), (region.districts[1], 10, OPEN)]
    assert stays(lake, "district_id, discharge_district_id") == [tuple(region.districts)]
    levels = f"select perinatal_level from lake.marts.dim_organisation where organisation_id = {hospital}"
    assert lake.rows(f"{levels} order by valid_from") == [(None,), (2,)]


@pytest.mark.requirement("DASH-07")
def test_the_person_stands_where_the_person_stood_at_admission(lake: Lake, hospitals: Hospitals) -> None:
    region, store = hospitals.region, hospitals.region.store
    patient = region.patients[0]
    attachment = next(key for key, row in store.tables["attachment"].items() if row["patient_id"] == patient)
    store.begin()
    hospitals.stay(hospitals.organisations[0], patient, at(1), at(9))
    lake.load(store)
    before = stays(lake, "attachment_organisation_id, site_id, age_years, specialty_code")
    assert before[0][0] == region.polyclinics[0]
    assert before[0][3] == "therapy"
    store.begin()
    other = region.sites[region.polyclinics[1]][0]
    store.update("attachment", attachment, valid_to=date(2023, 3, 5))
    store.insert("attachment", owner_organisation_id=region.polyclinics[1], patient_id=patient,
                 organisation_id=region.polyclinics[1], site_id=other, valid_from=date(2023, 3, 5))  # fmt: skip
    lake.load(store)
    assert stays(lake, "attachment_organisation_id, site_id, age_years, specialty_code") == before
    store.begin()
    store.update("attachment", attachment, valid_to=date(2023, 3, 1) - timedelta(days=1))
    lake.load(store)
    assert stays(lake, "attachment_organisation_id") == [(None,)]
