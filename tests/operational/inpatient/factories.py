"""A hospital with an admission department, wards and beds; patients in it at every step of a stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from kmis.clock import FixedClock
from operational.domains.inpatient.admission import Admission
from operational.domains.inpatient.discharging import Discharging
from operational.domains.inpatient.models import HospitalPresentation, HospitalStay
from operational.domains.inpatient.schemas import Admit, Discharge, Present
from operational.domains.organisation.models import BedStock, Department
from operational.domains.patients.models import Patient
from operational.kit.access import scope_of
from tests.operational.patients.builders import registered

ORAL = ZoneInfo("Asia/Oral")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ARRIVED = NOW - timedelta(hours=30)
ADMITTED = NOW - timedelta(hours=29)
LONG_AGO = date(2015, 1, 1)
OPERATION = "47.09"


@dataclass(frozen=True, slots=True)
class Hospital:
    """The keys of the departments and of the doctor."""

    organisation: int
    admission: int
    surgery: int
    intensive: int
    doctor: int


def create_hospital(session: Session, world: dict[str, int]) -> Hospital:
    """Departments and beds of the polyclinic's organisation, in the test's own transaction."""
    own = world["polyclinic"]
    keys = {}
    for code, kind, name_kk, name_ru in (
        ("ADM", "admission", "Қабылдау бөлімшесі", "Приёмное отделение"),
        ("SUR", "surgical", "Хирургия бөлімшесі", "Хирургическое отделение"),
        ("ICU", "intensive_care", "Реанимация бөлімшесі", "Отделение реанимации"),
    ):
        row = Department(
            organisation_id=own, code=code, kind=kind, name_kk=name_kk, name_ru=name_ru, valid_from=LONG_AGO
        )
        session.add(row)
        session.flush()
        keys[code] = row.id
    for code, profile, beds in (("SUR", "surgical", 10), ("ICU", "intensive_care", 2)):
        session.add(
            BedStock(organisation_id=own, department_id=keys[code], bed_profile=profile, beds=beds, valid_from=LONG_AGO)
        )
    session.execute(
        text(
            "insert into operation (code, name_kk, name_ru, class_code, search_key)"
            " values (:code, 'Аппендэктомия', 'Аппендэктомия', 'abdominal', 'аппендэктомия')"
            " on conflict (code) do nothing"
        ),
        {"code": OPERATION},
    )
    session.flush()
    return Hospital(own, keys["ADM"], keys["SUR"], keys["ICU"], world["practitioner"])


def admission_of(session: Session, at: datetime = NOW) -> Admission:
    return Admission(session, FixedClock(at), ORAL)


def stays_of(session: Session, at: datetime = NOW) -> Discharging:
    return Discharging(session, FixedClock(at), ORAL)


def create_presentation(
    session: Session, hospital: Hospital, patient: Patient | None = None, **values: Any
) -> HospitalPresentation:
    """Somebody brought by ambulance who waits for a decision."""
    who = patient or registered(session)
    row: dict[str, Any] = {
        "patient_id": who.id, "department_id": hospital.admission, "arrived_at": ARRIVED,
        "arrival_channel": "ambulance", "complaint": "Ішінің ауыруы",
    }  # fmt: skip
    return admission_of(session).present(Present(**(row | values)))


def create_stay(session: Session, hospital: Hospital, patient: Patient | None = None, **values: Any) -> HospitalStay:
    """A patient who lies in surgery since the day before."""
    presentation = create_presentation(session, hospital, patient)
    row: dict[str, Any] = {
        "admitted_at": ADMITTED, "department_id": hospital.surgery, "bed_profile": "surgical", "ward": "3",
        "practitioner_id": hospital.doctor, "icd10_code": "J06.9", "condition": "moderate",
    }  # fmt: skip
    return admission_of(session).admit(presentation.id, Admit(**(row | values)))


def discharge_of(**values: Any) -> Discharge:
    """A discharge with improvement."""
    row: dict[str, Any] = {
        "discharged_at": NOW - timedelta(hours=1), "outcome": "discharged", "treatment_result": "improvement",
        "icd10_code": "I10", "epicrisis": "Жағдайы жақсарды.", "recommendations": "Учаске дәрігерінің бақылауы",
    }  # fmt: skip
    return Discharge(**(row | values))


def create_discharged(session: Session, hospital: Hospital, **values: Any) -> HospitalStay:
    """A stay that ended an hour ago."""
    stay = create_stay(session, hospital)
    return stays_of(session).discharge(stay.id, discharge_of(**values))


def owner_of(session: Session) -> int:
    """The organisation of the session's user."""
    home = scope_of(session).home_organisation_id
    assert home is not None
    return home
