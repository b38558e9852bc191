"""Directories, orders, DICOM files and messages for the tests of orders."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from sqlalchemy import text
from sqlalchemy.orm import Session

from operational.domains.catalogs.models import CodedValue, LabReferenceInterval, LabTest
from operational.domains.orders.models import (
    Device,
    DeviceMessage,
    DiagnosticReport,
    ImagingInstance,
    ImagingStudy,
    LabResult,
)
from tests.operational.stage import NOW

TESTS = (
    ("HGB", "Гемоглобин", "Гемоглобин", "г/л", "cbc"), ("WBC", "Лейкоциттер", "Лейкоциты", "10^9/л", "cbc"),
    ("GLU", "Глюкоза", "Глюкоза", "ммоль/л", "biochemistry"), ("HBSAG", "HBsAg", "HBsAg", "качеств.", "infections"),
    ("U_PH", "рН", "Реакция мочи", None, "urinalysis"),
)  # fmt: skip
INTERVALS: tuple[tuple[str, str, int, int | None, str | None, str | None, str | None], ...] = (
    ("HGB", "U", 0, 14, "134", "198", None), ("HGB", "F", 5479, 43830, "117", "155", None),
    ("HGB", "M", 5479, 43830, "132", "173", None),
    ("HGB", "F", 5479, 18262, "110", None, "беременные: порог анемии"),
    ("GLU", "U", 5110, 43830, "4.1", "5.9", "венозная плазма"),
    ("GLU", "U", 5110, 43830, "0.5", "6.2", "alternative adult interval"),
)  # fmt: skip
CODED = (
    ("modality", "CT", "КТ-зерттеу", "Компьютерная томография"), ("modality", "US", "УДЗ", "УЗИ"),
    ("body_part", "CHEST", "Кеуде", "Грудная клетка"),
    ("lab_panel", "cbc", "Жалпы қан талдауы", "Общий анализ крови"),
    ("lab_panel", "biochemistry", "Биохимия талдауы", "Биохимический анализ"),
    ("lab_value", "negative", "Теріс", "Отрицательно"), ("lab_value", "positive", "Оң", "Положительно"),
)  # fmt: skip


def fill_directories(session: Session) -> None:
    """The tests, their intervals and the small directories that orders need."""
    for code, kk, ru, unit, panel in TESTS:
        session.add(
            LabTest(
                code=code,
                name_kk=kk,
                name_ru=ru,
                unit=unit,
                panel=panel,
                search_key=f" {ru}",
                specimen="blood_edta" if panel == "cbc" else "serum",
            )
        )
    session.flush()
    for code, sex, start, end, low, high, note in INTERVALS:
        session.add(
            LabReferenceInterval(
                test_code=code, sex=sex, age_from_days=start, age_to_days=end, low=Decimal(low) if low else None,
                high=Decimal(high) if high else None, note=note, source="test", valid_from=date(2010, 1, 1),
            )
        )  # fmt: skip
    for place, (directory, code, kk, ru) in enumerate(CODED):
        session.add(CodedValue(directory_code=directory, code=code, name_kk=kk, name_ru=ru, sort_order=place))
    session.flush()


def create_device(session: Session, organisation: int, **values: Any) -> Device:
    """An analyser, or what the values say."""
    row = {
        "organisation_id": organisation, "code": "HEM-T", "name_kk": "Анализатор", "name_ru": "Анализатор",
        "kind": "analyser", "protocol": "hl7v2", "address": "HEMA|TEST",
    }  # fmt: skip
    device = Device(**(row | values))
    session.add(device)
    session.flush()
    return device


def create_message(session: Session, owner: int, device: Device, **values: Any) -> DeviceMessage:
    """A message of an analyser that could not be matched."""
    row: dict[str, Any] = {
        "owner_organisation_id": owner, "device_id": device.id, "protocol": "hl7v2", "received_at": NOW,
        "raw_path": "spool/hl7v2/test.hl7", "raw_bytes": 10,
        "raw_sha256": hashlib.sha256(repr(values).encode()).hexdigest(), "status": "unmatched",
        "problem": "unknown_patient",
    }  # fmt: skip
    message = DeviceMessage(**(row | values))
    session.add(message)
    session.flush()
    return message


def create_device_result(
    session: Session, owner: int, patient: int, message: DeviceMessage, code: str, number: str, **values: Any
) -> LabResult:
    """A report of a device with one value whose code is not mapped."""
    report = DiagnosticReport(
        owner_organisation_id=owner, patient_id=patient, category="laboratory", source="device",
        device_message_id=message.id, status="final", collected_at=NOW, issued_at=NOW,
    )  # fmt: skip
    session.add(report)
    session.flush()
    row: dict[str, Any] = {
        "owner_organisation_id": owner, "report_id": report.id, "patient_id": patient, "device_code": code,
        "value_kind": "numeric", "value_number": Decimal(number), "status": "final", "observed_at": NOW,
    }  # fmt: skip
    result = LabResult(**(row | values))
    session.add(result)
    session.flush()
    return result


def ct_slice(number: int, rows: int = 64, columns: int = 96) -> NDArray[np.int16]:
    """A slice of a phantom: air, a body with noise, a bone; values are stored ones."""
    y, x = np.mgrid[:rows, :columns]
    noise = np.random.default_rng(number).integers(-15, 15, (rows, columns))
    body = np.hypot((y - rows / 2) / (rows / 2.4), (x - columns / 2) / (columns / 2.4)) < 1
    bone = np.hypot(y - rows / 2, x - columns / 2) < 6 + number
    values = np.where(bone, 900, np.where(body, 40 + noise, -1000))
    return values.astype(np.int16)


def write_ct(path: Path, study_uid: str, series_uid: str, number: int, **values: Any) -> Dataset:
    """A CT object of a scanner as a file; ``values`` replace elements."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    picture = ct_slice(number)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = study_uid, series_uid
    data.Modality, data.SeriesNumber, data.InstanceNumber = "CT", 2, number
    data.Rows, data.Columns = picture.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.RescaleSlope, data.RescaleIntercept = "1", "-24"
    data.WindowCenter, data.WindowWidth = "40", "400"
    data.PixelSpacing = ["0.8", "0.8"]
    data.SliceLocation = str(number * 5)
    data.PixelData = picture.tobytes()
    for name, value in values.items():
        setattr(data, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return data


def create_study(
    session: Session, home: Path, owner: int, *, slices: int = 3, patient_id: int | None = None, **values: Any
) -> tuple[ImagingStudy, list[ImagingInstance]]:
    """A CT study with its index and files."""
    study_uid, series_uid = str(generate_uid()), str(generate_uid())
    at: datetime = NOW
    row: dict[str, Any] = {
        "owner_organisation_id": owner, "study_uid": study_uid, "patient_id": patient_id, "modality": "CT",
        "body_part": "CHEST", "description": "Thorax", "started_at": at, "received_at": at, "status": "available",
        "series": 1, "instances": slices, "matched_at": at if patient_id else None,
        "matched_by": "iin" if patient_id else None,
    }  # fmt: skip
    study = ImagingStudy(**(row | values))
    session.add(study)
    session.flush()
    found = []
    for number in range(1, slices + 1):
        relative = f"dicom/{study_uid}/{number}.dcm"
        data = write_ct(home / relative, study_uid, series_uid, number)
        instance = ImagingInstance(
            owner_organisation_id=owner, study_uid=study_uid, series_uid=series_uid,
            sop_uid=str(data.SOPInstanceUID), sop_class_uid=str(CTImageStorage),
            transfer_syntax_uid=str(ExplicitVRLittleEndian), series_number=2, instance_number=number, modality="CT",
            frames=1, file_path=relative, file_bytes=(home / relative).stat().st_size, sha256=b"0" * 32,
        )  # fmt: skip
        session.add(instance)
        session.flush()
        found.append(instance)
    return study, found


def count(session: Session, query: str, **values: Any) -> int:
    """What a counting query gives."""
    return int(session.execute(text(query), values).scalar_one())
