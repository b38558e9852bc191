"""What a device delivered, in the terms of the store: laboratory messages, DICOM objects, what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Status = Literal["preliminary", "final", "corrected"]
Protocol = Literal["dicom", "hl7v2"]
Verdict = Literal["stored", "same", "differs", "foreign"]

# Why something waits in the inbox or in quarantine (device_message.problem, key `problem` of imaging_study.stated).
PROBLEMS = (
    "unknown_patient", "order_and_iin_differ", "several_patients", "filler_taken", "unmatched_by_hand",
    "malformed", "truncated", "charset", "too_large", "unknown_sender", "unsupported_type", "unsupported_version",
    "no_values", "missing_uid", "uid_differs", "sop_differs", "study_of_another_organisation",
    "refused_by_store",
)  # fmt: skip


class Frozen(BaseModel):
    """A value that nobody changes; it is kept as JSON beside the message."""

    model_config = ConfigDict(frozen=True)


class LabValue(Frozen):
    """One OBX: how the device names the test, and its value. ``withdrawn``: the laboratory takes the value back."""

    device_code: str | None
    device_name: str | None = None
    loinc: str | None = None
    kind: Literal["numeric", "text", "coded"]
    number: Decimal | None = None
    comparator: Literal["<", "<=", ">=", ">"] | None = None
    text: str | None = None
    unit: str | None = None
    reference_low: Decimal | None = None
    reference_high: Decimal | None = None
    interpretation: Literal["LL", "L", "N", "H", "HH", "A"] | None = None
    status: Status = "final"
    withdrawn: bool = False
    observed_at: datetime | None = None


class LabReport(Frozen):
    """One OBR with its values; ``withdrawn``: the laboratory takes the report back."""

    filler_number: str | None = None
    accession_numbers: tuple[str, ...] = ()
    status: Status = "final"
    withdrawn: bool = False
    collected_at: datetime | None = None
    issued_at: datetime
    conclusion: str | None = None
    values: tuple[LabValue, ...] = ()


class StatedPerson(Frozen):
    """What a device says of the person."""

    iin: str | None = None
    surname: str | None = None
    given_name: str | None = None
    patronymic: str | None = None
    birth_date: date | None = None
    sex: str | None = None


class LabMessage(Frozen):
    """A message of results of one person. It is kept in ``device_message.stated``, so that a person who matches it
    by hand records its results."""

    control_id: str
    sent_at: datetime
    person: StatedPerson = StatedPerson()
    reports: tuple[LabReport, ...] = ()


class DeliveredInstance(Frozen):
    """One DICOM object: its place in study and series, its file, and what it says of person and order.

    ``file_path`` is relative to the installation's home. ``started_at`` is aware, or None where the object has none.
    """

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    file_path: str
    file_bytes: int
    sha256: bytes
    series_number: int | None = None
    instance_number: int | None = None
    series_description: str | None = None
    modality: str | None = None
    frames: int = 1
    content_date: date | None = None
    accession_number: str | None = None
    body_part: str | None = None
    description: str | None = None
    started_at: datetime | None = None
    person: StatedPerson = StatedPerson()


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """A registered device: whose it is, how it writes text."""

    id: int
    organisation_id: int
    code: str
    protocol: str
    address: str
    modality: str | None
    charset: str | None


@dataclass(frozen=True, slots=True)
class Received:
    """The raw form of a message as it lies on disk, before anybody has understood it.

    ``device`` is None for a sender that nobody registered; ``organisation_id`` then is the region's.
    """

    device: KnownDevice | None
    organisation_id: int
    protocol: Protocol
    received_at: datetime
    raw_path: str
    raw_bytes: int
    raw_sha256: str
    control_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message: its row, whether it had been recorded before, the reports that hold its values."""

    message_id: int
    status: str
    repeated: bool = False
    report_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """To whom something belongs, and how that was found; ``problem`` says why to nobody."""

    patient_id: int | None
    order_id: int | None = None
    by: Literal["accession", "iin", "hand"] | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class WorklistItem:
    """An ordered imaging study as a modality's worklist shows it."""

    order_id: int
    accession_number: str
    iin: str | None
    patient_no: int
    surname: str
    given_name: str
    patronymic: str | None
    birth_date: date | None
    sex: str | None
    modality: str
    station_aet: str | None
    scheduled_at: datetime
    service_code: str | None
    service_name: str | None
    body_part: str | None
    priority: str
    department_name: str | None
    practitioner_name: str | None


@dataclass(frozen=True, slots=True)
class WorklistQuery:
    """The keys that a modality asks with; None matches everything, ``*`` and ``?`` are wildcards in texts."""

    accession_number: str | None = None
    patient_id: str | None = None
    patient_name: str | None = None
    modality: str | None = None
    station_aet: str | None = None
    day_from: date | None = None
    day_to: date | None = None


def stated(message: LabMessage) -> dict[str, Any]:
    """What ``device_message.stated`` holds: ``person``, ``accession_numbers`` for the eye, ``message`` to record."""
    content = message.model_dump(mode="json")
    numbers = sorted({number for report in message.reports for number in report.accession_numbers})
    return {"person": content["person"], "accession_numbers": numbers, "message": content}


def lock_keys(received: Received, message: LabMessage) -> set[str]:
    """What nobody else may work on while the message is recorded: its bytes, and the laboratory's numbers."""
    device = received.device.id if received.device else None
    return {f"raw:{received.raw_sha256}", *(f"filler:{device}:{report.filler_number}" for report in message.reports)}
