"""From the bedside to the polyclinic through the services that the screens call, and what a fault of a rule does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from kmis.clock import FixedClock
from operational import handlers
from operational.domains.inpatient.admission import Admission
from operational.domains.inpatient.discharging import Discharging
from operational.domains.inpatient.models import HospitalStay
from operational.domains.inpatient.schemas import Admit, Discharge, Measure, Present
from operational.domains.monitoring.signals.evidence import gathering
from operational.domains.patients import dying
from operational.domains.patients.schemas_death import RegisterDeath
from tests.operational.monitoring import factories
from tests.operational.monitoring.factories import Place
from tests.operational.stage import NOW

ORAL = ZoneInfo("Asia/Oral")


@pytest.fixture(autouse=True)
def connected() -> None:
    handlers.install()


def admitted(place: Place, patient: int, code: str) -> HospitalStay:
    """A patient of the hospital since two days ago, by the admission department."""
    department = place.world["other_department"]
    desk = Admission(place.session, FixedClock(NOW), ORAL)
    came = desk.present(
        Present(
            patient_id=patient, department_id=department, arrival_channel="ambulance",
            arrived_at=NOW - timedelta(days=2, hours=1),
        )
    )  # fmt: skip
    wanted = Admit(
        admitted_at=NOW - timedelta(days=2), department_id=department, bed_profile="cardiology",
        practitioner_id=place.world["other_practitioner"], icd10_code=code,
    )  # fmt: skip
    return desk.admit(came.id, wanted)


def wards(place: Place, at: datetime = NOW) -> Discharging:
    return Discharging(place.session, FixedClock(at), ORAL)


def left(**values: Any) -> Discharge:
    row: dict[str, Any] = {
        "discharged_at": NOW - timedelta(hours=1), "outcome": "discharged", "treatment_result": "improvement",
        "icd10_code": "I21.0", "epicrisis": "Жағдайы жақсарды", "recommendations": "Аспирин 75 мг",
    }  # fmt: skip
    return Discharge(**(row | values))


@pytest.mark.requirement("SIG-01")
def test_discharge_its_correction_and_its_taking_back(place: Place) -> None:
    patient = place.attached()
    seen_by_hospital(place, patient)
    stay = admitted(place, patient, "I21.0")
    wards(place).discharge(stay.id, left())
    place.at_polyclinic()
    [case] = place.cases(patient)
    assert (case["rule_code"], case["state"], case["recommendations"]) == ("SIG-01", "opened", "Аспирин 75 мг")
    place.at_hospital()
    wards(place).correct(stay.id, left(icd10_code="I61.0"), "Диагноз нақтыланды")
    place.at_polyclinic()
    first, second = place.cases(patient)
    assert (first["rule_code"], first["outcome"]) == ("SIG-01", "condition_withdrawn")
    assert (second["rule_code"], second["state"]) == ("SIG-02", "opened")
    place.at_hospital()
    wards(place).take_back(stay.id, "Науқас кетпеген")
    place.at_polyclinic()
    assert {case["state"] for case in place.cases(patient)} == {"closed"}


@pytest.mark.requirement("SIG-06")
def test_a_woman_in_danger_who_dies_in_hospital(place: Place) -> None:
    patient = place.attached(sex="F")
    factories.create_pregnancy(place, patient)
    seen_by_hospital(place, patient)
    stay = admitted(place, patient, "J18.9")
    wards(place).measure(stay.id, Measure(measured_at=NOW - timedelta(hours=3), systolic=170, diastolic=110))
    place.at_polyclinic()
    assert [(case["rule_code"], case["state"]) for case in place.cases(patient)] == [("MAT-CRIT", "opened")]
    place.at_hospital()
    died = left(outcome="died", treatment_result="death", icd10_code="O15.0", underlying_icd10="O15.0")
    wards(place).discharge(stay.id, died)
    place.at_polyclinic()
    found = [(case["rule_code"], case["state"], case["outcome"]) for case in place.cases(patient)]
    assert found == [("MAT-CRIT", "closed", "died"), ("SIG-06", "opened", None)]


@pytest.mark.requirement("SIG-06")
def test_a_death_at_home_registered_and_voided(place: Place) -> None:
    patient = place.attached()
    clock = FixedClock(NOW)
    wanted = RegisterDeath(patient_id=patient, died_at=NOW - timedelta(hours=3), place="home", underlying_icd10="I25.1")
    row = dying.register_death(place.session, clock, ORAL, wanted, organisation_id=place.world["polyclinic"])
    [case] = place.cases(patient)
    assert (case["rule_code"], case["subject_id"], case["state"]) == ("SIG-06", row.id, "opened")
    dying.void_death(place.session, clock, ORAL, row.id, "Қате енгізілген")
    [case] = place.cases(patient)
    assert (case["state"], case["outcome"]) == ("closed", "entered_in_error")


@pytest.mark.parametrize("fault", ["code", "database"])
def test_a_fault_of_a_rule_refuses_no_discharge(place: Place, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    def broken(session: Session, *args: object) -> Any:
        if fault == "database":
            session.execute(text("select 1 / 0"))
        raise KeyError("a rule")

    patient = place.attached()
    seen_by_hospital(place, patient)
    stay = admitted(place, patient, "I21.0")
    monkeypatch.setattr(gathering, "of_discharge", broken)
    wards(place).discharge(stay.id, left())
    saved = place.session.execute(text("select outcome from hospital_stay where id = :stay"), {"stay": stay.id})
    assert saved.scalar_one() == "discharged"
    owed = place.session.execute(
        text(
            "select payload ->> 'handler' from outbox_message where payload ->> 'event' = 'StayDischarged'"
            " and payload ->> 'patient_id' = :patient"
        ),
        {"patient": str(patient)},
    )
    handler: str = owed.scalar_one()
    assert handler.endswith(".opening.of_discharge")


def seen_by_hospital(place: Place, patient: int) -> None:
    """The hospital finds the person in the region's register and opens the record; the session is the hospital's."""
    place.at_hospital()
    place.session.execute(
        text("select kmis_open_person(:patient, :organisation, 'жедел жәрдем')"),
        {"patient": patient, "organisation": place.world["other"]},
    )
