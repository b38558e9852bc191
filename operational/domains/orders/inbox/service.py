"""The inbox of devices: whom something may belong to, what a raw message says, taking a dismissal back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.orm import Session

from kmis import iin
from operational.domains.orders import receiving_errors
from operational.domains.orders import repository as orders
from operational.domains.orders.images import path_under
from operational.domains.orders.inbox import repository
from operational.domains.orders.models import DeviceMessage, DiagnosticOrder, ImagingStudy
from operational.domains.orders.service import reason_of
from operational.domains.patients import repository as patients
from operational.domains.patients import service as people
from operational.domains.patients.models import Patient
from operational.kit.audit import audit
from operational.kit.errors import NotFound

Ground = Literal["accession", "iin", "name_and_birth"]
# Of a raw message so much is shown; the rest can only be a document inside of it.
SHOWN = 200_000
CHARSETS = ("utf-8", "cp1251")


@dataclass(frozen=True, slots=True)
class Stated:
    """What a device says of the person and the order."""

    name: str = ""
    iin: str = ""
    birth_date: date | None = None
    sex: str = ""
    numbers: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person that something may belong to, why, and by which order."""

    patient: Patient
    name: str
    ground: Ground
    order: DiagnosticOrder | None = None


def stated_of(row: ImagingStudy | DeviceMessage) -> Stated:
    """What the device said, whatever it left out."""
    said: dict[str, Any] = row.stated or {}
    person: dict[str, Any] = said.get("person") or {}
    names = (person.get(part) for part in ("surname", "given_name", "patronymic"))
    numbers = [str(number) for number in said.get("accession_numbers") or []]
    if isinstance(row, ImagingStudy) and row.accession_number and row.accession_number not in numbers:
        numbers.append(row.accession_number)
    problem = row.problem if isinstance(row, DeviceMessage) else said.get("problem")
    born = person.get("birth_date")
    return Stated(
        name=" ".join(str(part) for part in names if part),
        iin=str(person.get("iin") or ""),
        birth_date=date.fromisoformat(born) if born else None,
        sex=str(person.get("sex") or ""),
        numbers=tuple(numbers),
        problem=problem or "",
    )


def candidates(session: Session, stated: Stated, category: str, today: date) -> list[Candidate]:
    """The persons in the user's sight that fit best: by the order's number, by IIN, by name with birth date."""
    found: list[Candidate] = []
    seen: set[int] = set()

    def add(patient: Patient | None, ground: Ground, order: DiagnosticOrder | None = None) -> None:
        if patient is not None and patient.id not in seen:
            seen.add(patient.id)
            found.append(Candidate(patient, people.full_name(patient), ground, order))

    for number in stated.numbers:
        order = orders.order_by_number(session, number.strip().upper())
        if order is not None and order.category == category:
            add(patients.get(session, order.patient_id), "accession", order)
    if iin.is_valid(stated.iin):
        for patient in people.search(session, stated.iin, today, limit=5).patients:
            add(patient, "iin")
    if stated.name and stated.birth_date:
        asked = f"{stated.name} {stated.birth_date:%d.%m.%Y}"
        for patient in people.search(session, asked, today, limit=10).patients:
            add(patient, "name_and_birth")
    return found


def orders_of_person(session: Session, patient_id: int, category: str) -> Sequence[DiagnosticOrder]:
    """The orders of the person that the thing may answer."""
    records = people.records_of_person(session, patient_id)
    return repository.open_orders(session, [record.id for record in records], category)


def raw_text(session: Session, home: Path, message: DeviceMessage) -> list[str]:
    """The segments of a raw HL7 message as it came; audited, because it names a person. Empty for DICOM.

    Raises NotFound when the file is gone.
    """
    if message.protocol != "hl7v2":
        return []
    path = path_under(home, message.raw_path)
    if not path.is_file():
        raise NotFound()
    with path.open("rb") as file:
        raw = file.read(SHOWN)
    audit(session, "device_message.opened", object_table="device_message", object_id=message.id)
    return [segment for segment in _decoded(raw).replace("\n", "\r").split("\r") if segment.strip()]


def _decoded(raw: bytes) -> str:
    raw = raw.strip(b"\x0b\x1c\r\n")
    for charset in CHARSETS:
        try:
            return raw.decode(charset)
        except UnicodeDecodeError:
            continue
    return raw.decode("ascii", errors="replace")


def restore_message(session: Session, message_id: int, reason: str) -> None:
    """Take a dismissal back: the message waits in the inbox again. Raises NotFound, NotMatched, ReasonNeeded."""
    row = repository.message(session, message_id, lock=True)
    if row is None:
        raise NotFound("message_id")
    if row.status != "resolved":
        raise receiving_errors.NotMatched()
    text = reason_of(session, reason)
    readable = row.stated.get("message") is not None
    row.status = "unmatched" if readable else "quarantined"
    row.problem = row.problem or "unmatched_by_hand"
    row.resolved_at = row.resolved_by = row.resolution = None
    session.flush()
    audit(session, "device_message.restored", object_table="device_message", object_id=row.id, reason=text)


def restore_study(session: Session, study_id: int, reason: str) -> None:
    """Take a dismissal back: the study waits in the inbox again. Raises NotFound, ReasonNeeded."""
    row = orders.study(session, study_id, lock=True)
    if row is None or row.voided_at is None:
        raise NotFound("study_id")
    text = reason_of(session, reason)
    row.voided_at = row.void_reason = None
    session.flush()
    audit(session, "imaging_study.restored", object_table="imaging_study", object_id=row.id, reason=text)
