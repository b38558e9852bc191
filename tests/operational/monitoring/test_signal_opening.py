"""Cases open in the transaction of their cause, for the organisation that answers, once, and go with their cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from kmis.clock import FixedClock
from operational import handlers
from operational.domains.inpatient.models import HospitalStay
from operational.events.inpatient import StayChanged, StayDischarged, StayWithdrawn, TransfusionGiven, VitalSignsTaken
from operational.events.patients import DeathRegistered, DeathVoided
from operational.kit.db import apply_scope
from operational.kit.events import Event, announce
from tests.operational.monitoring import factories
from tests.operational.monitoring.factories import Place
from tests.operational.stage import NOW

ZONE = ZoneInfo("Asia/Oral")


@pytest.fixture(autouse=True)
def connected() -> None:
    handlers.install()


def happen(place: Place, event: Event, at: datetime = NOW) -> None:
    announce(place.session, event, FixedClock(at), ZONE)


def discharged(place: Place, stay: HospitalStay, at: datetime = NOW) -> None:
    happen(place, StayDischarged(stay.id, stay.patient_id, stay.owner_organisation_id), at)


def closed_as(place: Place, case: int, outcome: str, at: datetime = NOW) -> None:
    place.session.execute(
        text("update signal_case set state = 'closed', outcome = :outcome, closed_at = :at where id = :case"),
        {"outcome": outcome, "at": at, "case": case},
    )


@pytest.mark.parametrize(
    ("main", "operation", "rules"),
    [
        pytest.param("I21.0", None, ["SIG-01"], marks=pytest.mark.requirement("SIG-01")),
        pytest.param("I61.0", None, ["SIG-02"], marks=pytest.mark.requirement("SIG-02")),
        pytest.param("G45.0", None, ["SIG-03"], marks=pytest.mark.requirement("SIG-03")),
        pytest.param("I25.1", "OP05-02", ["SIG-04"], marks=pytest.mark.requirement("SIG-04")),
        pytest.param("I34.0", "OP05-08", ["SIG-05"], marks=pytest.mark.requirement("SIG-05")),
        ("I21.0", "OP05-02", ["SIG-01", "SIG-04"]),
        ("I25.1", None, []),
        ("I25.1", "OP03-01", []),
        ("J18.9", None, []),
    ],
)
def test_discharge_opens_cases_of_the_polyclinic(
    place: Place, main: str, operation: str | None, rules: list[str]
) -> None:
    patient = place.attached()
    stay = factories.create_stay(place, patient, main)
    if operation:
        factories.create_operation(place, stay, operation)
    discharged(place, stay)
    assert place.cases(patient) == []  # the hospital does not answer for the case and does not see it
    place.at_polyclinic()
    found = place.cases(patient)
    assert [case["rule_code"] for case in found] == rules
    for case in found:
        assert case["owner_organisation_id"] == place.world["polyclinic"]
        assert case["origin_organisation_id"] == place.world["other"]
        assert (case["site_id"], case["practitioner_id"], case["nurse_id"]) == (
            place.world["site"], place.world["practitioner"], place.nurse_id,
        )  # fmt: skip
        assert (case["icd10_code"], case["state"], case["recommendations"]) == (main, "opened", "Аспирин 75 мг")
        assert case["opened_at"] == NOW
        assert case["due_at"] == stay.discharged_at + timedelta(hours=72)  # type: ignore[operator]  # it is discharged
        assert place.told(case["id"]) == ["opened"]


def test_no_lake_is_asked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped writer delays no case: the handlers touch nothing but the operational store."""
    import duckdb

    def refuse(*args: object, **kwargs: object) -> Any:
        raise AssertionError("the lake was asked")

    monkeypatch.setattr(duckdb, "connect", refuse)
    patient = place.attached()
    discharged(place, factories.create_stay(place, patient))
    place.at_polyclinic()
    assert len(place.cases(patient)) == 1


def test_the_same_discharge_twice_is_one_case(place: Place) -> None:
    patient = place.attached()
    stay = factories.create_stay(place, patient)
    for _ in range(2):
        discharged(place, stay)
    place.at_polyclinic()
    [case] = place.cases(patient)
    assert place.told(case["id"]) == ["opened"]


def test_what_was_answered_for_stays_closed_when_the_discharge_is_signed_again(place: Place) -> None:
    patient = place.attached()
    stay = factories.create_stay(place, patient)
    discharged(place, stay)
    place.at_polyclinic()
    [case] = place.cases(patient)
    closed_as(place, case["id"], "visited")
    place.at_hospital()
    discharged(place, stay, NOW + timedelta(hours=1))
    place.at_polyclinic()
    assert place.cases(patient)[0]["state"] == "closed"


def test_corrected_diagnosis_withdraws_and_a_second_correction_opens_again(place: Place) -> None:
    patient = place.attached()
    stay = factories.create_stay(place, patient)
    found = place.session.execute(text("select id from stay_diagnosis where stay_id = :stay"), {"stay": stay.id})
    diagnosis: int = found.scalar_one()
    discharged(place, stay)
    change = text("update stay_diagnosis set icd10_code = :code where id = :key")
    place.session.execute(change, {"code": "J18.9", "key": diagnosis})
    place.session.expire_all()
    discharged(place, stay, NOW + timedelta(hours=1))
    place.at_polyclinic()
    [case] = place.cases(patient)
    assert (case["state"], case["outcome"], case["closed_at"]) == (
        "closed", "condition_withdrawn", NOW + timedelta(hours=1),
    )  # fmt: skip
    place.at_hospital()
    place.session.execute(change, {"code": "I20.0", "key": diagnosis})
    place.session.expire_all()
    discharged(place, stay, NOW + timedelta(hours=2))
    place.at_polyclinic()
    [case] = place.cases(patient)
    assert (case["state"], case["outcome"], case["icd10_code"]) == ("opened", None, "I20.0")
    assert place.told(case["id"]) == ["opened", "closed", "reopened"]


def test_withdrawn_stay_withdraws_its_cases(place: Place) -> None:
    patient = place.attached()
    stay = factories.create_stay(place, patient)
    discharged(place, stay)
    stay.voided_at, stay.void_reason = NOW, "Қате"
    place.session.flush()
    happen(place, StayWithdrawn(stay.id, patient, stay.owner_organisation_id))
    place.at_polyclinic()
    [case] = place.cases(patient)
    assert (case["state"], case["outcome"]) == ("closed", "entered_in_error")


def test_who_is_attached_nowhere_stays_with_the_hospital_in_its_queue(place: Place) -> None:
    apply_scope(place.session, place.polyclinic)
    from tests.operational.patients.builders import registered

    patient = registered(place.session).id
    discharged(place, factories.create_stay(place, patient))
    [case] = place.cases(patient)
    assert (case["owner_organisation_id"], case["practitioner_id"]) == (place.world["other"], None)


def test_the_attachment_of_the_day_counts(place: Place) -> None:
    """Who moved after the discharge is still the former polyclinic's; the surviving record answers for a merged one."""
    patient = place.attached()
    survivor = place.attached()
    place.session.execute(
        text("update attachment set valid_to = '2021-01-01' where patient_id = :patient"), {"patient": patient}
    )
    place.session.execute(
        text("update patient set merged_into_id = :survivor where id = :patient"),
        {"survivor": survivor, "patient": patient},
    )
    discharged(place, factories.create_stay(place, patient))
    place.at_polyclinic()
    [case] = place.cases(patient)
    assert (case["owner_organisation_id"], case["site_id"]) == (place.world["polyclinic"], place.world["site"])


def test_a_died_patient_has_no_discharge_sheet(place: Place) -> None:
    patient = place.attached()
    stay = factories.create_stay(place, patient, outcome="died", treatment_result="death")
    discharged(place, stay)
    place.at_polyclinic()
    assert place.cases(patient) == []


@pytest.mark.requirement("SIG-06")
def test_death_of_an_attached_person_is_a_case_and_closes_the_others(place: Place) -> None:
    patient = place.attached()
    discharged(place, factories.create_stay(place, patient, discharged_at=NOW - timedelta(hours=20)))
    death = factories.create_death(place, patient)
    happen(place, DeathRegistered(death.id, patient, death.owner_organisation_id))
    place.at_polyclinic()
    first, last = place.cases(patient)
    assert (first["rule_code"], first["state"], first["outcome"]) == ("SIG-01", "closed", "died")
    assert (last["rule_code"], last["subject"], last["state"]) == ("SIG-06", "death", "opened")
    assert last["owner_organisation_id"] == place.world["polyclinic"]
    place.at_hospital()
    death.voided_at, death.void_reason = NOW, "Қате"
    place.session.flush()
    happen(place, DeathVoided(death.id, patient, death.owner_organisation_id))
    place.at_polyclinic()
    first, last = place.cases(patient)
    assert (first["state"], first["outcome"]) == ("opened", None)
    assert (last["state"], last["outcome"]) == ("closed", "entered_in_error")


def test_death_of_a_person_attached_nowhere_is_on_no_sheet(place: Place) -> None:
    from tests.operational.patients.builders import registered

    patient = registered(place.session).id
    stay = factories.create_stay(place, patient, outcome="died", treatment_result="death")
    death = factories.create_death(place, patient, died_at=stay.discharged_at)
    happen(place, DeathRegistered(death.id, patient, death.owner_organisation_id))
    assert place.cases(patient) == []


def pregnant_in_hospital(place: Place, main: str = "J18.9", **pregnancy: Any) -> HospitalStay:
    patient = place.attached(sex="F")
    factories.create_pregnancy(place, patient, **pregnancy)
    return factories.create_stay(place, patient, main, discharged_at=None)


def test_high_pressure_of_a_pregnant_woman_is_critical_at_once(place: Place) -> None:
    stay = pregnant_in_hospital(place)
    calm = factories.create_vitals(place, stay, NOW - timedelta(hours=5), systolic=159, diastolic=109)
    happen(place, VitalSignsTaken(calm.id, stay.patient_id, stay.owner_organisation_id))
    place.at_polyclinic()
    assert place.cases(stay.patient_id) == []
    place.at_hospital()
    high = factories.create_vitals(place, stay, NOW - timedelta(minutes=10), systolic=160, diastolic=90)
    happen(place, VitalSignsTaken(high.id, stay.patient_id, stay.owner_organisation_id))
    given = factories.create_transfusion(place, stay, NOW - timedelta(minutes=5))
    happen(place, TransfusionGiven(given.id, stay.patient_id, stay.owner_organisation_id))
    factories.create_movement(place, stay, place.intensive_care, NOW - timedelta(minutes=2))
    happen(place, StayChanged(stay.id, stay.patient_id, stay.owner_organisation_id))
    place.at_polyclinic()
    [case] = place.cases(stay.patient_id)
    assert (case["rule_code"], case["severity"], case["audience"]) == ("MAT-CRIT", "critical", "obstetrician")
    assert (case["owner_organisation_id"], case["practitioner_id"]) == (
        place.world["polyclinic"], place.world["practitioner"],
    )  # fmt: skip
    assert set(case["facts"]) == {"blood_pressure", "transfusion", "intensive_care"}
    assert place.told(case["id"]) == ["opened", "reason_added", "reason_added"]
    assert case["due_at"] <= NOW + timedelta(hours=2)


@pytest.mark.parametrize(("chills", "code"), [(True, "J18.9"), (False, "O15.0"), (False, "O14.1")])
def test_each_sign_is_enough(place: Place, chills: bool, code: str) -> None:
    stay = pregnant_in_hospital(place, code)
    signs = factories.create_vitals(place, stay, NOW, systolic=120, diastolic=80, chills_flag=chills)
    happen(place, VitalSignsTaken(signs.id, stay.patient_id, stay.owner_organisation_id))
    place.at_polyclinic()
    assert [case["rule_code"] for case in place.cases(stay.patient_id)] == ["MAT-CRIT"]


@pytest.mark.parametrize(("ended", "cases"), [(42, 1), (43, 0)])
def test_six_weeks_after_birth_count(place: Place, ended: int, cases: int) -> None:
    stay = pregnant_in_hospital(
        place, last_menstrual_date=(NOW - timedelta(days=300)).date(), registered_on=(NOW - timedelta(days=200)).date(),
        ended_on=(NOW - timedelta(days=9 + ended)).date(), outcome="birth",
    )  # fmt: skip
    high = factories.create_vitals(place, stay, NOW, systolic=170, diastolic=100)
    happen(place, VitalSignsTaken(high.id, stay.patient_id, stay.owner_organisation_id))
    place.at_polyclinic()
    assert len(place.cases(stay.patient_id)) == cases


def test_measurement_entered_in_error_withdraws_and_a_new_one_opens_again(place: Place) -> None:
    stay = pregnant_in_hospital(place)
    high = factories.create_vitals(place, stay, NOW - timedelta(hours=1), systolic=180, diastolic=110)
    event = VitalSignsTaken(high.id, stay.patient_id, stay.owner_organisation_id)
    happen(place, event)
    high.voided_at, high.void_reason = NOW, "Басқа науқас"
    place.session.flush()
    happen(place, event)
    place.at_polyclinic()
    [case] = place.cases(stay.patient_id)
    assert (case["state"], case["outcome"]) == ("closed", "condition_withdrawn")
    place.at_hospital()
    again = factories.create_vitals(place, stay, NOW + timedelta(hours=1), systolic=165, diastolic=100)
    happen(place, replace(event, subject_id=again.id), NOW + timedelta(hours=1))
    place.at_polyclinic()
    [case] = place.cases(stay.patient_id)
    assert (case["state"], case["facts"]["blood_pressure"]["systolic"]) == ("opened", 165)
    assert place.told(case["id"]) == ["opened", "closed", "reopened"]


def test_answered_case_opens_again_only_for_what_is_new(place: Place) -> None:
    stay = pregnant_in_hospital(place)
    high = factories.create_vitals(place, stay, NOW - timedelta(hours=1), systolic=180, diastolic=110)
    event = VitalSignsTaken(high.id, stay.patient_id, stay.owner_organisation_id)
    happen(place, event)
    place.at_polyclinic()
    [case] = place.cases(stay.patient_id)
    closed_as(place, case["id"], "contacted")
    place.at_hospital()
    happen(place, event, NOW + timedelta(minutes=5))
    place.at_polyclinic()
    assert place.cases(stay.patient_id)[0]["state"] == "closed"
    place.at_hospital()
    # A sign measured before the closing but written after it was not known to whoever closed.
    chills = factories.create_vitals(place, stay, NOW - timedelta(minutes=30), temperature=39, chills_flag=True)
    happen(place, replace(event, subject_id=chills.id), NOW + timedelta(minutes=10))
    place.at_polyclinic()
    assert place.cases(stay.patient_id)[0]["state"] == "opened"


def test_a_man_and_a_woman_without_pregnancy_have_no_maternal_case(place: Place) -> None:
    for sex in ("M", "F"):
        stay = factories.create_stay(place, place.attached(sex=sex), "J18.9", discharged_at=None)
        high = factories.create_vitals(place, stay, NOW, systolic=200, diastolic=120)
        happen(place, VitalSignsTaken(high.id, stay.patient_id, stay.owner_organisation_id))
        place.at_polyclinic()
        assert place.cases(stay.patient_id) == []
