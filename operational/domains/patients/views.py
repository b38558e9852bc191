"""People as the screens show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from fastapi import Request
from sqlalchemy.orm import Session

from kmis.clock import local_date
from operational.domains.patients import repository, service
from operational.domains.patients.models import Patient
from operational.domains.patients.repository import AttachmentRow
from operational.web.formats import age_in_years, format_date
from operational.web.shell import Option
from operational.web.texts import translate

KINDS = ("citizen", "foreigner", "without_papers", "unknown", "newborn")
SEXES = ("F", "M", "U")


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person in a list; ``also`` are numbers of merged records, ``namesake_flag`` warns of a namesake."""

    id: int
    name: str
    patient_no: int
    iin: str | None
    birth_date: date | None
    age: str
    sex: str
    phone: str | None
    also: tuple[int, ...]
    namesake_flag: bool
    deceased_flag: bool


@dataclass(frozen=True, slots=True)
class CardHead:
    """What stands above a card on every page of a person."""

    patient: Patient
    name: str
    age: str
    records: list[Patient]
    attachment: AttachmentRow | None
    mother_name: str
    namesake_flag: bool


def now_of(request: Request) -> datetime:
    """The moment by the application's clock."""
    moment: datetime = request.app.state.clock.now()
    return moment


def today_of(request: Request) -> date:
    """The local day by the application's clock."""
    return local_date(now_of(request), ZoneInfo(request.app.state.settings.timezone))


def age_text(patient: Patient, today: date, language: str) -> str:
    """Completed years; months below three years; of the deceased the age at death."""
    if patient.birth_date is None:
        return ""
    until = min(patient.death_date or today, today)
    years = age_in_years(patient.birth_date, until)
    if years >= 3:
        return translate(language, "patients.age_years", n=years)
    born = patient.birth_date
    months = (until.year - born.year) * 12 + until.month - born.month - (until.day < born.day)
    if months >= 1:
        return translate(language, "patients.age_months", n=months)
    return translate(language, "patients.age_days", n=(until - born).days)


def display_name(patient: Patient, mother: Patient | None, language: str) -> str:
    """The name; of a newborn without one «surname, child of <mother>, order number»."""
    if patient.identity_kind == "newborn" and not patient.given_name and mother is not None:
        return translate(
            language, "patients.newborn_name", surname=patient.surname, mother=service.full_name(mother),
            order=patient.birth_order or 1,
        )  # fmt: skip
    if patient.identity_kind == "unknown" and not patient.given_name:
        return f"{patient.surname} № {patient.patient_no}"
    return service.full_name(patient)


def lines(found: service.SearchResult, today: date, language: str) -> list[PersonLine]:
    """The page of a search as rows of a list."""
    return [
        PersonLine(
            id=patient.id,
            name=display_name(patient, found.mothers.get(patient.mother_id or 0), language),
            patient_no=patient.patient_no,
            iin=patient.iin,
            birth_date=patient.birth_date,
            age=age_text(patient, today, language),
            sex=patient.sex,
            phone=patient.phone,
            also=tuple(record.patient_no for record in found.merged.get(patient.id, ())),
            namesake_flag=patient.id in found.namesake_ids,
            deceased_flag=patient.death_date is not None,
        )
        for patient in found.patients
    ]


def options(rows: list[PersonLine], zone: str) -> list[Option]:
    """The same people as choices of a picker; the note tells namesakes apart."""
    return [Option(str(row.id), row.name, f"{format_date(row.birth_date, zone)} · № {row.patient_no}") for row in rows]


def card_head(session: Session, patient_id: int, request: Request, language: str) -> CardHead:
    """The head of the card of the person that the record belongs to. Raises PatientNotFound."""
    records = service.records_of_person(session, patient_id)
    patient, today = records[0], today_of(request)
    mother = service.mothers_of(session, [patient]).get(patient.mother_id or 0)
    attached = repository.attachments(session, [record.id for record in records])
    current = next((row for row in attached if _holds(row, today)), None)
    return CardHead(
        patient=patient,
        name=display_name(patient, mother, language),
        age=age_text(patient, today, language),
        records=records,
        attachment=current,
        mother_name=service.full_name(mother) if mother else "",
        namesake_flag=bool(repository.namesakes(session, [patient])),
    )


def _holds(row: AttachmentRow, day: date) -> bool:
    held = row.attachment
    return held.valid_from <= day and (held.valid_to is None or held.valid_to > day)


@lru_cache(maxsize=1)
def _countries() -> list[dict[str, Any]]:
    path = Path(__file__).resolve().parent / "rules" / "citizenship.yml"
    countries: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["countries"]
    return countries


def countries(language: str) -> list[tuple[str, str]]:
    """Citizenships as choices: code and name in the language."""
    return [(row["code"], row[language]) for row in _countries()]


def kinds(language: str) -> list[tuple[str, str]]:
    """Kinds of identity as choices."""
    return [(kind, translate(language, f"patients.kind.{kind}")) for kind in KINDS]


def sexes(language: str) -> list[tuple[str, str]]:
    """Sexes as choices."""
    return [(sex, translate(language, f"patients.sex.{sex}")) for sex in SEXES]
