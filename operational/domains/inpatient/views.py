"""People, departments and choices as the screens of the hospital show them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fastapi import Request
from sqlalchemy.orm import Session

from kmis.clock import local_date
from operational.domains.catalogs.models import CodedValue
from operational.domains.inpatient import repository
from operational.domains.inpatient.models import HospitalStay
from operational.domains.inpatient.repository import DiagnosisRow, MovementRow
from operational.domains.organisation import repository as organisations
from operational.domains.organisation.models import Department, Practitioner
from operational.domains.patients import service as patients
from operational.domains.patients import views as people
from operational.domains.patients.models import Patient
from operational.kit.errors import NotFound
from operational.web.formats import TYPED_MOMENT, local
from operational.web.language import language_of

Choices = list[tuple[str, str]]
INTENSIVE_CARE = "intensive_care"
DIRECTORIES = (
    "bed_profile", "arrival_channel", "refusal_reason", "stay_outcome", "treatment_result", "stay_condition",
    "blood_component", "anaesthesia", "maternal_death", "financing_source",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """A patient as every page of the hospital heads them."""

    patient: Patient
    name: str
    age: str


@dataclass(frozen=True, slots=True)
class StayHead:
    """What stands above every page of a stay."""

    stay: HospitalStay
    person: Person
    days: int
    doctor: Practitioner | None
    place: MovementRow | None
    main: DiagnosisRow | None
    intensive_flag: bool
    labels: dict[tuple[str, str], CodedValue]


def named(row: Any, language: str) -> str:
    """The name of a row in the language; Russian where there is no Kazakh one."""
    return str((row.name_kk if language == "kk" else None) or row.name_ru)


def coded(db: Session, names: Sequence[str] = DIRECTORIES) -> dict[str, list[CodedValue]]:
    """Small directories by their code."""
    return repository.coded(db, names)


def choices(directories: dict[str, list[CodedValue]], language: str) -> dict[str, Choices]:
    """The same directories as choices."""
    return {name: [(row.code, named(row, language)) for row in rows] for name, rows in directories.items()}


def labels(directories: dict[str, list[CodedValue]]) -> dict[tuple[str, str], CodedValue]:
    """The same directories for looking a code up."""
    return {(name, row.code): row for name, rows in directories.items() for row in rows}


def person(db: Session, patient_id: int, request: Request) -> Person:
    """The person of a record. Raises NotFound outside the scope."""
    found = repository.patient(db, patient_id)
    if found is None:
        raise NotFound
    return person_of(db, [found], request)[0]


def person_of(db: Session, rows: Sequence[Patient], request: Request) -> list[Person]:
    """The records as people with name and age."""
    language, today = language_of(request), people.today_of(request)
    mothers = patients.mothers_of(db, list(rows))
    return [
        Person(row, people.display_name(row, mothers.get(row.mother_id or 0), language),
               people.age_text(row, today, language))
        for row in rows
    ]  # fmt: skip


def departments(rows: Sequence[Department], language: str) -> Choices:
    """Departments as choices."""
    return [(str(row.id), named(row, language)) for row in rows]


def doctors(db: Session, organisation_id: int, day: date) -> Choices:
    """Everyone with a position of the organisation on the day, once."""
    found = {str(row.practitioner.id): row.full_name for row in organisations.staff(db, organisation_id, day)}
    return list(found.items())


def other_organisations(db: Session, own: Collection[int], day: date, language: str) -> Choices:
    """The organisations that a patient can come from or be transferred to."""
    return [
        (str(row.organisation_id), named(row, language))
        for row in repository.organisations(db, day)
        if row.organisation_id not in own
    ]


def bed_days(stay: HospitalStay, now: datetime, request: Request) -> int:
    """Days in hospital: the days of admission and of discharge count as one, in a day hospital as two."""
    zone = request.app.state.settings.zone
    nights = (local_date(stay.discharged_at or now, zone) - local_date(stay.admitted_at, zone)).days
    return nights + 1 if stay.hospital_kind == "day" else max(1, nights)


def head(db: Session, key: int, request: Request) -> StayHead:
    """The head of a stay. Raises NotFound outside the scope."""
    stay = repository.stay(db, key)
    if stay is None:
        raise NotFound
    movements = repository.movements(db, key)
    main = repository.main_diagnosis(db, key)
    place = movements[-1] if movements else None
    return StayHead(
        stay=stay,
        person=person(db, stay.patient_id, request),
        days=bed_days(stay, people.now_of(request), request),
        doctor=repository.practitioner(db, stay.practitioner_id),
        place=place,
        main=next((row for row in repository.diagnoses(db, key) if main and row.diagnosis.id == main.id), None),
        intensive_flag=place is not None and place.department.kind == INTENSIVE_CARE,
        labels=labels(coded(db)),
    )


def patient_ids(db: Session, text: str, request: Request) -> list[int] | None:
    """The records of the persons that a search finds; None when nothing is searched for."""
    if not text.strip():
        return None
    found = patients.search(db, text, people.today_of(request), limit=500)
    merged = [record.id for records in found.merged.values() for record in records]
    return [patient.id for patient in found.patients] + merged


def moment_value(at: datetime | None, request: Request) -> str:
    """A moment as people type it, on the clock of the organisation."""
    return f"{local(at, request.app.state.settings.timezone):{TYPED_MOMENT}}" if at else ""


def now_value(request: Request) -> str:
    """Now, for such a control."""
    return moment_value(people.now_of(request), request)


def waited(since: datetime, until: datetime) -> str:
    """Hours and minutes between two moments."""
    minutes = max(0, int((until - since) / timedelta(minutes=1)))
    return f"{minutes // 60}:{minutes % 60:02d}"


def number(value: Decimal | int | None) -> str:
    """A measured value as people write it; empty when absent."""
    return "" if value is None else str(value).replace(".", ",")
