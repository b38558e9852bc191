"""What the index keeps of an object, read from its data set without touching its pixels."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.multival import MultiValue
from pydicom.uid import UID
from pynetdicom import PYNETDICOM_IMPLEMENTATION_UID, PYNETDICOM_IMPLEMENTATION_VERSION

from device_ingest.gateway import DeliveredInstance, StatedPerson

# DICOM PS3.5 section 9.1: digits in components, at most 64 characters. It also keeps paths inside their folder.
UID_FORM = re.compile(r"[0-9]+(\.[0-9]+)+")
PLACE = b"\x7f\x7f"
PREAMBLE = b"\0" * 128 + b"DICM"
TAGS = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "StudyDate",
    "StudyTime", "ContentDate", "AccessionNumber", "Modality", "StudyDescription", "SeriesDescription", "PatientName",
    "PatientID", "PatientBirthDate", "PatientSex", "BodyPartExamined", "SeriesNumber", "InstanceNumber",
    "NumberOfFrames",
)  # fmt: skip
# Nothing that is read stands behind the image's own description.
LAST_TAG = 0x00280008


class Unreadable(ValueError):
    """The data set cannot be indexed; ``problem`` says why, without any of its content."""

    def __init__(self, problem: str, comment: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.comment = comment


def file_meta(sop_class: str, sop_instance: str, transfer_syntax: str, calling_aet: str) -> bytes:
    """Preamble and file meta information (PS3.10 section 7.1); the sender's AE title names it after a crash."""
    return _file_meta(sop_class, transfer_syntax, calling_aet, len(sop_instance) + len(sop_instance) % 2).replace(
        PLACE * ((len(sop_instance) + 1) // 2),
        sop_instance.encode("ascii", "replace") + b"\0" * (len(sop_instance) % 2),
    )


@lru_cache(maxsize=256)
def _file_meta(sop_class: str, transfer_syntax: str, calling_aet: str, length: int) -> bytes:
    """The same for all objects whose UID has so many characters; PLACE stands where the UID belongs."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = UID(PLACE.decode() * (length // 2))
    meta.TransferSyntaxUID = UID(transfer_syntax)
    meta.ImplementationClassUID = PYNETDICOM_IMPLEMENTATION_UID
    meta.ImplementationVersionName = PYNETDICOM_IMPLEMENTATION_VERSION
    meta.SourceApplicationEntityTitle = calling_aet
    target = DicomBytesIO()
    write_file_meta_info(target, meta, enforce_standard=True)
    return PREAMBLE + target.getvalue()


def read_header(encoded: memoryview, meta: bytes) -> Dataset:
    """The elements of a data set that the index needs. Raises Unreadable for what is no data set.

    ``meta`` says by which transfer syntax the data set is encoded.
    """
    # The header of an image stands in its first part; the whole is read when it does not.
    for size in (64 * 1024, len(encoded)):
        try:
            content = meta + bytes(encoded[:size])
            found = dcmread(BytesIO(content), specific_tags=list(TAGS), stop_before_pixels=True)
        except Exception as error:  # whatever pydicom raises over foreign bytes means the same
            if size >= len(encoded):
                raise Unreadable("malformed", "the data set cannot be decoded") from error
            continue
        if "SeriesInstanceUID" in found or size >= len(encoded):
            return found
    raise Unreadable("malformed", "the data set is empty")


def describe(
    header: Dataset, *, sop_class: str, sop_instance: str, transfer_syntax: str, zone: ZoneInfo
) -> DeliveredInstance:
    """The index entry of an object, without its file. Raises Unreadable for a missing or contradicting UID."""
    uids = {name: _text(header, name) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")}
    for name, value in uids.items():
        if value is None:
            raise Unreadable("missing_uid", f"{name} is missing")
        if len(value) > 64 or not UID_FORM.fullmatch(value):
            raise Unreadable("malformed", f"{name} is not a UID")
    if uids["SOPInstanceUID"] != sop_instance or _text(header, "SOPClassUID") not in (None, sop_class):
        raise Unreadable("uid_differs", "data set and command name different objects")
    return DeliveredInstance(
        study_uid=str(uids["StudyInstanceUID"]),
        series_uid=str(uids["SeriesInstanceUID"]),
        sop_uid=sop_instance,
        sop_class_uid=sop_class,
        transfer_syntax_uid=transfer_syntax,
        file_path="",
        file_bytes=0,
        sha256=b"",
        series_number=_integer(header, "SeriesNumber"),
        instance_number=_integer(header, "InstanceNumber"),
        series_description=_text(header, "SeriesDescription"),
        modality=_text(header, "Modality"),
        frames=max(1, _integer(header, "NumberOfFrames") or 1),
        content_date=_date(header, "ContentDate"),
        accession_number=_text(header, "AccessionNumber"),
        body_part=_text(header, "BodyPartExamined"),
        description=_text(header, "StudyDescription"),
        started_at=_moment(header, zone),
        person=_person(header),
    )


def _person(header: Dataset) -> StatedPerson:
    parts = (_text(header, "PatientName") or "").split("=")[0].split("^")
    names = [part.strip() or None for part in parts] + [None] * 3
    return StatedPerson(
        iin=_text(header, "PatientID"),
        surname=names[0],
        given_name=names[1],
        patronymic=names[2],
        birth_date=_date(header, "PatientBirthDate"),
        sex=_text(header, "PatientSex"),
    )


def _value(header: Dataset, name: str) -> Any:
    """The first value of an element; None where it is empty or its bytes make no sense."""
    try:
        value = header.get(name)
    except Exception:  # a value that its own type cannot hold says nothing
        return None
    if isinstance(value, MultiValue):
        value = value[0] if value else None
    return value


def _text(header: Dataset, name: str) -> str | None:
    value = _value(header, name)
    # The store holds no NUL, and a device pads with it.
    return None if value is None else str(value).replace("\0", "").strip() or None


def _integer(header: Dataset, name: str) -> int | None:
    value = _text(header, name)
    try:
        number = int(value) if value else None
    except ValueError:
        return None
    return number if number is not None and -(2**31) <= number < 2**31 else None


def _date(header: Dataset, name: str) -> date | None:
    value = _text(header, name)
    try:
        return datetime.strptime(value[:8], "%Y%m%d").date() if value else None
    except ValueError:
        return None


def _moment(header: Dataset, zone: ZoneInfo) -> datetime | None:
    day, clock = _date(header, "StudyDate"), (_text(header, "StudyTime") or "")[:6]
    if day is None:
        return None
    for form in ("%H%M%S", "%H%M", "%H"):
        try:
            return datetime.combine(day, datetime.strptime(clock, form).time(), zone)
        except ValueError:
            continue
    return datetime.combine(day, datetime.min.time(), zone)
