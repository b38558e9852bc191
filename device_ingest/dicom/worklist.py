"""The modality worklist: a device asks which ordered studies it may take up (DICOM PS3.4 annex K)."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from datetime import date, datetime

from pydicom.dataset import Dataset
from pynetdicom.events import Event

from device_ingest.gateway import Gateway, KnownDevice, StoreUnavailable, WorklistItem, WorklistQuery

log = logging.getLogger("kmis.dicom")
LIMIT = 500
PENDING, CANCELLED, OUT_OF_RESOURCES, DOES_NOT_MATCH = 0xFF00, 0xFE00, 0xA700, 0xA900
PRIORITIES = {"stat": "STAT", "urgent": "HIGH", "routine": "MEDIUM"}


def answer_worklist(
    gateway: Gateway, device: KnownDevice, event: Event
) -> Iterator[tuple[int | Dataset, Dataset | None]]:
    """The responses to one C-FIND, at most LIMIT of them; the protocol's own success ends them."""
    try:
        query = query_of(event.identifier)
    except Exception:  # whatever pydicom raises over foreign bytes means the same
        status = Dataset()
        status.Status, status.ErrorComment = DOES_NOT_MATCH, "the query cannot be read"
        yield status, None
        return
    try:
        items = gateway.worklist(device, query, LIMIT)
    except StoreUnavailable as error:
        log.error("a worklist was not answered: %s", error)
        yield OUT_OF_RESOURCES, None
        return
    for item in items:
        if event.is_cancelled:
            yield CANCELLED, None
            return
        yield PENDING, response(item, device)


def query_of(identifier: Dataset) -> WorklistQuery:
    """The keys that matter out of a query. Raises ValueError for a date that is none."""
    steps = identifier.get("ScheduledProcedureStepSequence")
    step = steps[0] if steps else Dataset()
    day_from, day_to = _range(_text(step, "ScheduledProcedureStepStartDate"))
    return WorklistQuery(
        accession_number=_text(identifier, "AccessionNumber"),
        patient_id=_text(identifier, "PatientID"),
        patient_name=_text(identifier, "PatientName"),
        modality=_text(step, "Modality"),
        station_aet=_text(step, "ScheduledStationAETitle"),
        day_from=day_from,
        day_to=day_to,
    )


def response(item: WorklistItem, device: KnownDevice) -> Dataset:
    """One entry. Names go out in UTF-8: no other character set of DICOM holds the Kazakh letters."""
    found = Dataset()
    found.SpecificCharacterSet = "ISO_IR 192"
    found.AccessionNumber = item.accession_number
    found.PatientName = "^".join(part or "" for part in (item.surname, item.given_name, item.patronymic)).rstrip("^")
    found.PatientID = item.iin or f"P{item.patient_no}"
    found.PatientBirthDate = _day(item.birth_date)
    found.PatientSex = item.sex if item.sex in ("M", "F") else "O"
    found.StudyInstanceUID = study_uid(item)
    found.RequestedProcedureID = item.accession_number
    found.RequestedProcedureDescription = (item.service_name or item.modality)[:64]
    found.RequestedProcedurePriority = PRIORITIES.get(item.priority, "MEDIUM")
    found.RequestingService = (item.department_name or "")[:64]
    found.RequestingPhysician = item.practitioner_name or ""
    found.ReferringPhysicianName = item.practitioner_name or ""
    step = Dataset()
    step.ScheduledStationAETitle = item.station_aet or device.address
    step.ScheduledProcedureStepStartDate = _day(item.scheduled_at)
    step.ScheduledProcedureStepStartTime = f"{item.scheduled_at:%H%M%S}"
    step.Modality = item.modality
    step.ScheduledPerformingPhysicianName = ""
    step.ScheduledProcedureStepDescription = (item.body_part or item.service_name or item.modality)[:64]
    step.ScheduledProcedureStepID = item.accession_number
    found.ScheduledProcedureStepSequence = [step]
    return found


def study_uid(item: WorklistItem) -> str:
    """The study's UID, the same however often it is asked for (PS3.5 annex B.2: a UUID below 2.25)."""
    name = f"kmis:{item.accession_number}:{item.order_id}:{item.patient_no}"
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, name).int}"


def _text(source: Dataset, name: str) -> str | None:
    value = source.get(name)
    text = "" if value is None else str(value).strip()
    return None if text in ("", "*") else text


def _range(text: str | None) -> tuple[date | None, date | None]:
    """A day, or a range whose ends may be open (PS3.4 section C.2.2.2.5)."""
    if text is None:
        return None, None
    first, dash, last = text.partition("-")
    begin = _date(first)
    return begin, (_date(last) if dash else begin)


def _date(text: str) -> date | None:
    return datetime.strptime(text.strip(), "%Y%m%d").date() if text.strip() else None


def _day(value: date | datetime | None) -> str:
    return f"{value:%Y%m%d}" if value else ""
