"""Hospital, maternity, laboratory and signal cases of the demonstration: plausible, whole, and within the rules."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import pairwise
from typing import Any

import pydicom
import pytest

from operational.demo.generating import Demonstration, generate
from operational.demo.people import rows
from operational.domains.catalogs import files
from signal_sheets.rules import rule_of
from tests.operational.demo.conftest import NOW, SEED, ZONE, data_set_of
from tests.operational.demo.test_generating import dicts, local_day

PEOPLE, DAYS = 5000, 365
LATEST = NOW.replace(tzinfo=None)
CODED = (
    ("ward_movement", "bed_profile", "bed_profile"), ("bed_stock", "bed_profile", "bed_profile"),
    ("hospital_presentation", "arrival_channel", "arrival_channel"),
    ("hospital_stay", "arrival_channel", "arrival_channel"),
    ("hospital_presentation", "refusal_reason", "refusal_reason"), ("encounter", "void_reason", "void_reason"),
    ("hospital_stay", "financing_source", "financing_source"),
    ("pregnancy_risk_factor", "factor_code", "antenatal_risk_factor"),
    ("diagnostic_order", "modality", "modality"), ("diagnostic_order", "body_part", "body_part"),
    ("signal_case", "outcome", "signal_outcome"),
)  # fmt: skip


@pytest.fixture(scope="module")
def year() -> Demonstration:
    """5,000 people and a year: enough for figures to be stable."""
    return generate(PEOPLE, 1, SEED, NOW, ZONE)


def standing(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that nobody voided."""
    return [row for row in found if row["voided_at"] is None]


def by(found: list[dict[str, Any]], column: str) -> dict[Any, list[dict[str, Any]]]:
    """Rows in groups."""
    groups: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        groups[row[column]].append(row)
    return groups


def test_the_figures_of_the_hospital_are_plausible(year: Demonstration) -> None:
    district = year.region.organisations["hospital"]
    stays = standing(dicts(year.store.hospital_stay))
    left = [row for row in stays if row["discharged_at"] and row["hospital_kind"] == "round_the_clock"]
    days = [(row["discharged_at"] - row["admitted_at"]) / timedelta(days=1) for row in left]
    assert 0.06 * PEOPLE < len(stays) < 0.2 * PEOPLE
    assert 4 < sum(days) / len(days) < 12
    assert 0.005 < sum(row["outcome"] == "died" for row in left) / len(left) < 0.05
    beds = sum(
        row["beds"] for row in dicts(year.store.bed_stock)
        if row["organisation_id"] == district and row["hospital_kind"] == "round_the_clock" and row["valid_to"] is None
    )  # fmt: skip
    spent = sum(days for row, days in zip(left, days, strict=True) if row["owner_organisation_id"] == district)
    assert 0.4 < spent / (beds * DAYS) < 0.95
    decisions = Counter(row["decision"] for row in standing(dicts(year.store.hospital_presentation)))
    assert 0.05 < decisions["refused"] / decisions.total() < 0.3
    assert {"admitted", "refused", "left", "waiting"} <= set(decisions)
    assert {"discharged", "died", "transferred"} <= {row["outcome"] for row in left}


def test_births_and_deaths_are_plausible(year: Demonstration) -> None:
    births = dicts(year.store.birth)
    assert 10 < 1000 * sum(row["vital_status"] == "live" for row in births) / PEOPLE < 26
    assert 0.12 < sum(row["delivery_mode"].startswith("caesarean") for row in births) / len(births) < 0.36
    deaths = standing(dicts(year.store.death))
    assert 3 < 1000 * len(deaths) / PEOPLE < 12
    places = Counter(row["place"] for row in deaths)
    assert 0.15 < places["hospital"] / places.total() < 0.6 and places["home"] > places["street"]
    assert len(dicts(year.store.death)) == len(deaths) + 1, "one death was registered by mistake"


def test_nothing_happens_after_a_death(year: Demonstration) -> None:
    died = {row["patient_id"]: row["died_at"] for row in standing(dicts(year.store.death))}
    store = year.store
    people = {row["id"]: row["death_date"] for row in dicts(store.patient)}
    assert {patient: local_day(at) for patient, at in died.items()} == {p: d for p, d in people.items() if d}
    for table, column in (
        (store.encounter, "ended_at"), (store.hospital_presentation, "decided_at"),
        (store.hospital_stay, "discharged_at"),
        (store.ward_movement, "ended_at"), (store.vital_sign, "measured_at"), (store.stay_operation, "ended_at"),
        (store.transfusion, "ended_at"), (store.pregnancy_visit, "visited_at"), (store.appointment, "starts_at"),
        (store.home_call, "performed_at"), (store.lab_result, "observed_at"), (store.imaging_study, "started_at"),
    ):  # fmt: skip
        for row in dicts(table):
            at = died.get(row["patient_id"])
            if at is not None and row[column] is not None:
                assert row[column] <= at, (str(table.name), row["id"])
            assert at is None or row[column] or row.get("status") == "cancelled", (
                str(table.name),
                row["id"],
            )


def test_a_person_lies_in_one_hospital_and_in_one_bed_at_a_time(year: Demonstration) -> None:
    stays = {row["id"]: row for row in standing(dicts(year.store.hospital_stay))}
    for own in by(list(stays.values()), "patient_id").values():
        own.sort(key=lambda row: row["admitted_at"])
        assert all(one["discharged_at"] <= other["admitted_at"] for one, other in pairwise(own))
    moves = dicts(year.store.ward_movement)
    for key, own in by(moves, "stay_id").items():
        own.sort(key=lambda row: row["started_at"])
        assert own[0]["started_at"] == stays[key]["admitted_at"]
        assert own[-1]["ended_at"] == stays[key]["discharged_at"]
        assert all(one["ended_at"] == other["started_at"] for one, other in pairwise(own))
    assert {row["stay_id"] for row in moves} == set(stays)
    taken = [row for row in moves if row["bed"] is not None]
    assert len(taken) > 0.75 * len(moves)
    for row in taken:
        row["place"] = row["department_id"], row["bed"]
    for own in by(taken, "place").values():
        own.sort(key=lambda row: row["started_at"])
        assert all(one["ended_at"] <= other["started_at"] for one, other in pairwise(own))


def test_what_belongs_to_a_stay_lies_within_it(year: Demonstration) -> None:
    stays = {row["id"]: row for row in dicts(year.store.hospital_stay)}
    for table, first, last in (
        (year.store.vital_sign, "measured_at", "measured_at"), (year.store.stay_operation, "started_at", "ended_at"),
        (year.store.transfusion, "started_at", "ended_at"),
        (year.store.stay_diagnosis, "established_at", "established_at"),
    ):  # fmt: skip
        assert len(table) > 10, str(table.name)
        for row in dicts(table):
            stay = stays[row["stay_id"]]
            assert stay["admitted_at"] <= row[first] <= row[last] <= (stay["discharged_at"] or LATEST), str(table.name)
            assert row["patient_id"] == stay["patient_id"]
    main = Counter(
        (row["stay_id"], row["phase"]) for row in standing(dicts(year.store.stay_diagnosis)) if row["rank"] == "main"
    )
    assert set(main.values()) == {1}
    assert {key for key, phase in main if phase == "final"} == {
        key for key, row in stays.items() if row["discharged_at"] and row["voided_at"] is None
    }


def test_nobody_visits_the_polyclinic_out_of_a_hospital_bed(year: Demonstration) -> None:
    lying = by(
        [row for row in standing(dicts(year.store.hospital_stay)) if row["hospital_kind"] == "round_the_clock"],
        "patient_id",
    )
    for visit in dicts(year.store.encounter):
        for stay in lying.get(visit["patient_id"], []):
            assert not stay["admitted_at"] < visit["started_at"] < (stay["discharged_at"] or datetime.max)


def test_pregnancies_follow_one_another_and_end_with_the_child_of_the_register(year: Demonstration) -> None:
    pregnancies = {row["id"]: row for row in dicts(year.store.pregnancy)}
    for own in by(list(pregnancies.values()), "patient_id").values():
        own.sort(key=lambda row: row["last_menstrual_date"])
        for one, other in pairwise(own):
            assert one["ended_on"] is not None and one["ended_on"] < other["last_menstrual_date"]
    people = {row["id"]: row for row in dicts(year.store.patient)}
    births = dicts(year.store.birth)
    for row in births:
        assert pregnancies[row["pregnancy_id"]]["ended_on"] == row["delivery_date"] == local_day(row["born_at"])
        if row["child_patient_id"]:
            child = people[row["child_patient_id"]]
            assert (child["mother_id"], child["birth_date"]) == (row["patient_id"], row["delivery_date"])
    newborns = [p for p in people.values() if p["mother_id"] and p["birth_date"] > year.start
                and p["birth_date"] < year.today]  # fmt: skip
    assert len([row for row in births if row["child_patient_id"]]) > 0.95 * len(newborns)
    care = by(dicts(year.store.pregnancy_care), "pregnancy_id")
    assert any(len(own) > 1 for own in care.values()), "some are taken over"
    for row in dicts(year.store.pregnancy_visit):
        found = pregnancies[row["pregnancy_id"]]
        day = local_day(row["visited_at"])
        assert found["last_menstrual_date"] <= day <= (found["ended_on"] or year.today)
        assert (day - found["last_menstrual_date"]).days == row["gestation_days"]
        assert row["owner_organisation_id"] in {one["owner_organisation_id"] for one in care[row["pregnancy_id"]]}
    open_ones = [key for key, row in pregnancies.items() if row["ended_on"] is None]
    held = {(row["pregnancy_id"], row["visit_no"]) for row in dicts(year.store.pregnancy_visit)}
    missed = [row for row in dicts(year.store.planned_pregnancy_visit) if row["pregnancy_id"] in open_ones
              and row["due_to"] < year.today and (row["pregnancy_id"], row["visit_no"]) not in held]  # fmt: skip
    assert open_ones and missed


def test_every_code_stands_in_its_directory(year: Demonstration) -> None:
    known: dict[str, set[str]] = defaultdict(set)
    for row in files.read(files.OWN_DATA / "coded_values.csv"):
        known[row["directory_code"]].add(row["code"])
    for table, column, directory in CODED:
        used = {row[column] for row in dicts(getattr(year.store, table))} - {None}
        assert used and used <= known[directory], (table, column, used - known[directory])
    icd10 = {row["code"] for row in files.read(files.REFERENCE / "icd10.csv")}
    operations = {row["code"] for row in files.read(files.OWN_DATA / "operations.csv")}
    tests = {row["test_code"] for row in files.read(files.REFERENCE / "lab_tests.csv")}
    assert {row["icd10"] for row in rows("hospital.csv")} <= icd10
    assert {row["underlying"] for row in rows("causes.csv")} | {row["immediate"] for row in rows("causes.csv")} <= icd10
    assert {row["operation"] for row in rows("hospital.csv")} - {""} <= operations
    assert {row["test_code"] for row in rows("device_codes.csv")} <= tests


def test_results_agree_with_their_interval_and_order(year: Demonstration) -> None:
    orders = {row["id"]: row for row in dicts(year.store.diagnostic_order)}
    reports = {row["id"]: row for row in dicts(year.store.diagnostic_report)}
    asked = {(row["order_id"], row["test_code"]) for row in dicts(year.store.order_test)}
    seen: Counter[str | None] = Counter()
    for row in dicts(year.store.lab_result):
        report = reports[row["report_id"]]
        assert (report["order_id"], row["test_code"]) in asked
        assert orders[report["order_id"]]["ordered_at"] <= row["observed_at"] <= report["issued_at"] <= LATEST
        low, high = row["reference_low"], row["reference_high"]
        if row["interpretation"] == "H":
            assert row["value_number"] > high
        elif row["interpretation"] == "L":
            assert row["value_number"] < low
        elif row["interpretation"] == "N":
            assert (low is None or row["value_number"] >= low) and (high is None or row["value_number"] <= high)
        seen[row["interpretation"]] += 1
    assert 0.02 < (seen["H"] + seen["L"]) / seen.total() < 0.25
    assert {row["status"] for row in reports.values()} == {"final", "corrected"}
    assert {row["status"] for row in orders.values()} >= {"active", "in_progress", "completed", "cancelled"}


def test_today_somebody_waits_lies_calls_and_something_is_unmatched(year: Demonstration) -> None:
    store = year.store
    waiting = [row for row in dicts(store.hospital_presentation) if row["decision"] == "waiting"]
    assert waiting and all(LATEST - row["arrived_at"] < timedelta(hours=3) for row in waiting)
    lying = [row for row in dicts(store.ward_movement) if row["ended_at"] is None]
    assert len(lying) > 5 and sum(row["bed_profile"] == "intensive_care" for row in lying) >= 1
    calls = [row for row in dicts(store.home_call) if local_day(row["called_at"]) == year.today]
    assert {"registered", "assigned"} <= {row["status"] for row in calls}
    ordered = [row for row in dicts(store.diagnostic_order) if row["status"] == "active"]
    assert {"laboratory", "imaging"} == {row["category"] for row in ordered}
    inbox = [row for row in dicts(store.device_message) if row["status"] in ("unmatched", "quarantined")]
    unmatched = [row for row in dicts(store.imaging_study) if row["patient_id"] is None]
    assert len(inbox) == 3 and len(unmatched) == 1


def test_signal_cases_are_those_that_the_rules_ask_for(year: Demonstration) -> None:
    cases = dicts(year.store.signal_case)
    stays = {row["id"]: row for row in dicts(year.store.hospital_stay)}
    assert {row["rule_code"] for row in cases} >= {"SIG-01", "SIG-02", "SIG-03", "SIG-04", "SIG-06", "MAT-CRIT"}
    assert len({(row["rule_code"], row["subject"], row["subject_id"]) for row in cases}) == len(cases)
    for row in cases:
        rule = rule_of(row["rule_code"], row["rule_version"])
        assert rule is not None and rule.subject == row["subject"]
        assert row["due_at"].replace(tzinfo=UTC) == rule.due_at(
            row["event_at"].replace(tzinfo=UTC), row["opened_at"].replace(tzinfo=UTC)
        )
        if row["subject"] == "hospital_stay":
            assert stays[row["subject_id"]]["patient_id"] == row["patient_id"]
    attached = [row for row in standing(dicts(year.store.death))
                if year.register.site_on(row["patient_id"] - 1, local_day(row["died_at"])) is not None]  # fmt: skip
    assert sum(row["rule_code"] == "SIG-06" for row in cases) == len(attached)
    history = by(dicts(year.store.signal_event), "case_id")
    for row in cases:
        kinds = [event["kind"] for event in history[row["id"]]]
        assert kinds[0] == "opened" and kinds[-1] == row["state"]
    open_ones = [row for row in cases if row["state"] != "closed"]
    doctor = next(p for p in year.region.posts if p.until is None and p.specialty == "therapy")
    assert any(row["practitioner_id"] == doctor.practitioner for row in open_ones)
    assert any(row["due_at"] < LATEST for row in open_ones), "some are overdue"
    assert any(row["practitioner_id"] is None for row in open_ones), "some stand in the queue"


def test_pictures_lie_where_their_rows_say_and_belong_to_their_person(year: Demonstration) -> None:
    studies = {row["study_uid"]: row for row in dicts(year.store.imaging_study)}
    people = {row["id"]: row for row in dicts(year.store.patient)}
    kept = dicts(year.store.imaging_instance)
    assert Counter(row["modality"] for row in kept)["CT"] == 12
    for row in kept:
        content = year.files[row["file_path"]]
        assert (
            "\\x" + hashlib.sha256(data_set_of(content)).hexdigest() == row["sha256"]
            and len(content) == row["file_bytes"]
        )
        data = pydicom.dcmread(BytesIO(content))
        study = studies[row["study_uid"]]
        assert (data.StudyInstanceUID, data.SOPInstanceUID) == (row["study_uid"], row["sop_uid"])
        assert data.AccessionNumber == (study["accession_number"] or "")
        if study["patient_id"]:
            assert data.PatientID == (people[study["patient_id"]]["iin"] or "")
        assert data.pixel_array.std() > 0
    for key, own in by(kept, "study_uid").items():
        assert studies[key]["instances"] == len(own)


def test_a_home_call_that_was_answered_has_its_visit(year: Demonstration) -> None:
    visits = {row["id"]: row for row in dicts(year.store.encounter)}
    answered = [row for row in dicts(year.store.home_call) if row["status"] == "done"]
    assert answered
    for row in answered:
        visit = visits[row["encounter_id"]]
        assert (visit["patient_id"], visit["place"], visit["started_at"]) == (
            row["patient_id"], "home", row["performed_at"],
        )  # fmt: skip
    assert {row["kind"] for row in answered} == {"call", "active"}


def test_stays_begin_within_the_time_shown(year: Demonstration) -> None:
    first = min(local_day(row["admitted_at"]) for row in dicts(year.store.hospital_stay))
    assert year.start - timedelta(days=3) <= first
    assert max(row["admitted_at"] for row in dicts(year.store.hospital_stay)) <= LATEST
