"""Rows that cause signal cases: a hospital beside the polyclinic, its patients, their stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from operational.domains.catalogs.models import CodedValue, Icd10, Operation
from operational.domains.inpatient.models import (
    HospitalStay,
    StayDiagnosis,
    StayOperation,
    Transfusion,
    VitalSign,
    WardMovement,
)
from operational.domains.maternity.models import Pregnancy, PregnancyCare
from operational.domains.organisation.models import Department, Practitioner, PractitionerRole, SiteAssignment
from operational.domains.patients.models import Attachment, Death
from operational.kit.access import Scope
from operational.kit.db import apply_scope
from tests.factories import LONG_AGO
from tests.operational.patients.builders import registered
from tests.operational.stage import NOW

CODES = ("I20.0", "I20.8", "I21.0", "I25.1", "I34.0", "I61.0", "G45.0", "O14.1", "O15.0", "O80", "J18.9")


@dataclass(frozen=True, slots=True)
class Place:
    """The polyclinic that answers, the hospital that treats, and whoever works there."""

    session: Session
    world: dict[str, int]
    polyclinic: Scope
    hospital: Scope
    nurse_id: int
    intensive_care: int

    def at_hospital(self) -> None:
        """From here on the session is the hospital's, as at the bedside."""
        self.session.flush()
        apply_scope(self.session, self.hospital)

    def at_polyclinic(self) -> None:
        """From here on the session is the polyclinic's."""
        self.session.flush()
        apply_scope(self.session, self.polyclinic)

    def attached(self, **values: Any) -> int:
        """A person attached to the polyclinic's site."""
        apply_scope(self.session, self.polyclinic)
        patient = registered(self.session, **values).id
        self.session.add(
            Attachment(
                owner_organisation_id=self.world["polyclinic"], organisation_id=self.world["polyclinic"],
                patient_id=patient, site_id=self.world["site"], valid_from=date(2020, 1, 1), reason="address",
            )
        )  # fmt: skip
        self.session.flush()
        return patient

    def cases(self, patient: int | None = None) -> list[dict[str, Any]]:
        """The cases that the acting scope sees, by rule."""
        found = self.session.execute(
            text("select * from signal_case where coalesce(:patient, patient_id) = patient_id order by rule_code"),
            {"patient": patient},
        )
        return [dict(row) for row in found.mappings()]

    def told(self, case: int) -> list[str]:
        """The kinds of what happened to a case, in order."""
        statement = text("select kind from signal_event where case_id = :case order by id")
        return list(self.session.execute(statement, {"case": case}).scalars())


def make_place(session: Session, world: dict[str, int], scope: Scope) -> Place:
    """A place whose rows go with the test's transaction."""
    known: set[str] = set(session.execute(text("select code from icd10")).scalars())
    session.add_all(
        Icd10(code=code, level="subcategory", name_ru=f"Диагноз {code}", name_kk=f"{code} диагнозы",
              search_key=code.lower(), valid_from=LONG_AGO)
        for code in CODES if code not in known
    )  # fmt: skip
    for code, name in (("OP05-02", "Стентирование"), ("OP05-08", "Протезирование клапана"), ("OP03-01", "Прочее")):
        if session.execute(text("select 1 from operation where code = :code"), {"code": code}).first() is None:
            session.add(
                Operation(code=code, name_kk=name, name_ru=name, class_code="cardiovascular", search_key=name.lower())
            )
    for number, code in enumerate(("visited", "contacted", "died", "condition_withdrawn"), 1):
        known_code = {"code": code}
        statement = "select 1 from coded_value where directory_code = 'signal_outcome' and code = :code"
        if session.execute(text(statement), known_code).first() is None:
            session.add(
                CodedValue(directory_code="signal_outcome", code=code, name_kk=f"{code} kk", name_ru=f"{code} ru",
                           sort_order=number)
            )  # fmt: skip
    nurse = Practitioner(surname="Әбенова", given_name="Гүлнар", sort_key="nurse")
    ward = Department(organisation_id=world["other"], code="ICU", kind="intensive_care", name_kk="Қарқынды емдеу",
                      name_ru="Реанимация", valid_from=LONG_AGO)  # fmt: skip
    session.add_all((nurse, ward))
    session.flush()
    session.add_all(
        (
            SiteAssignment(site_id=world["site"], practitioner_id=nurse.id, duty="nurse", valid_from=LONG_AGO),
            PractitionerRole(
                practitioner_id=nurse.id, organisation_id=world["polyclinic"], department_id=world["department"],
                specialty_code="nursing", position_code="site_nurse", valid_from=LONG_AGO,
            ),
        )
    )  # fmt: skip
    session.flush()
    hospital = replace(
        scope, user_id=world["other_user"], organisation_ids=frozenset({world["other"]}),
        practitioner_id=world["other_practitioner"], home_organisation_id=world["other"],
    )  # fmt: skip
    return Place(session, world, scope, hospital, nurse.id, ward.id)


def create_stay(place: Place, patient: int, main: str = "I21.0", **values: Any) -> HospitalStay:
    """A discharged stay of the hospital with a final main diagnosis; the session becomes the hospital's."""
    place.at_hospital()
    row: dict[str, Any] = {
        "owner_organisation_id": place.world["other"], "patient_id": patient, "admission_type": "emergency",
        "arrival_channel": "ambulance", "financing_source": "gobmp",
        "practitioner_id": place.world["other_practitioner"], "admitted_at": NOW - timedelta(days=9),
        "discharged_at": NOW - timedelta(hours=2), "outcome": "discharged", "treatment_result": "improvement",
        "recommendations": "Аспирин 75 мг", "signed_at": NOW - timedelta(hours=1),
    }  # fmt: skip
    row |= values
    if row["discharged_at"] is None:
        row |= {"outcome": None, "treatment_result": None, "signed_at": None}
    stay = HospitalStay(**row)
    place.session.add(stay)
    place.session.flush()
    create_diagnosis(place, stay, main, phase="admission" if row["discharged_at"] is None else "final")
    return stay


def _of(place: Place, stay: HospitalStay) -> dict[str, Any]:
    return {
        "stay_id": stay.id, "patient_id": stay.patient_id, "owner_organisation_id": stay.owner_organisation_id,
    }  # fmt: skip


def _added(place: Place, row: Any) -> Any:
    place.session.add(row)
    place.session.flush()
    return row


def create_diagnosis(place: Place, stay: HospitalStay, code: str, **values: Any) -> StayDiagnosis:
    row = {"phase": "final", "rank": "main", "icd10_code": code, "established_at": stay.admitted_at} | values
    found: StayDiagnosis = _added(place, StayDiagnosis(**_of(place, stay), **row))
    return found


def create_operation(place: Place, stay: HospitalStay, code: str, **values: Any) -> StayOperation:
    row = {
        "operation_code": code, "started_at": stay.admitted_at + timedelta(hours=3),
        "surgeon_id": place.world["other_practitioner"], "urgency": "emergency", "anaesthesia": "local",
    } | values  # fmt: skip
    found: StayOperation = _added(place, StayOperation(**_of(place, stay), **row))
    return found


def create_vitals(place: Place, stay: HospitalStay, at: datetime, **values: Any) -> VitalSign:
    found: VitalSign = _added(place, VitalSign(**_of(place, stay), measured_at=at, **values))
    return found


def create_transfusion(place: Place, stay: HospitalStay, at: datetime, **values: Any) -> Transfusion:
    row = {
        "component": "red_cells", "volume_ml": 300, "blood_group": "O", "rhesus": "+", "unit_number": "1",
        "indication": "Қан кету", "started_at": at, "practitioner_id": place.world["other_practitioner"],
    } | values  # fmt: skip
    found: Transfusion = _added(place, Transfusion(**_of(place, stay), **row))
    return found


def create_movement(place: Place, stay: HospitalStay, department: int, at: datetime, **values: Any) -> WardMovement:
    row = {"department_id": department, "bed_profile": "intensive_care", "started_at": at} | values
    found: WardMovement = _added(place, WardMovement(**_of(place, stay), **row))
    return found


def create_pregnancy(place: Place, patient: int, **values: Any) -> Pregnancy:
    """A pregnancy that the polyclinic leads, with its doctor as obstetrician; written in the polyclinic."""
    place.at_polyclinic()
    row = {
        "owner_organisation_id": place.world["polyclinic"], "patient_id": patient, "registered_on": date(2026, 6, 1),
        "last_menstrual_date": date(2026, 4, 1), "expected_delivery_date": date(2027, 1, 6), "gravida": 1, "para": 0,
        "risk_group": "low",
    } | values  # fmt: skip
    pregnancy: Pregnancy = _added(place, Pregnancy(**row))
    _added(
        place,
        PregnancyCare(
            owner_organisation_id=place.world["polyclinic"], pregnancy_id=pregnancy.id, patient_id=patient,
            practitioner_id=place.world["practitioner"], valid_from=date(2026, 6, 1),
        ),
    )  # fmt: skip
    return pregnancy


def create_death(here: Place, patient: int, **values: Any) -> Death:
    """A death registered by the acting organisation."""
    row = {
        "owner_organisation_id": here.world["other"], "patient_id": patient, "died_at": NOW - timedelta(hours=1),
        "place": "hospital", "hospital_organisation_id": here.world["other"], "underlying_icd10": "I21.0",
    } | values  # fmt: skip
    found: Death = _added(here, Death(**row))
    return found
