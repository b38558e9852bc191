"""DICOM objects that show nobody: drawn ellipses of a head in slices and of a chest, under a given identity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

# The root of UIDs made from UUIDs (PS3.5 B.2); the rest is taken from a digest, so that it is repeatable.
UID_ROOT: Final = "2.25."
SLICES: Final = 12
HEAD: Final = 256
CHEST: Final = 384


@dataclass(frozen=True, slots=True)
class Identity:
    """What an object says of person and study."""

    patient_id: str
    name: str
    birth: str
    sex: str
    accession: str
    study_uid: str
    started: datetime
    description: str
    body_part: str
    station: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An object as it will lie on disk."""

    sop_uid: str
    series_uid: str
    sop_class: str
    number: int
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the data set, as the index keeps it: the file's own head names who sent it, and differs."""
        head_size = 144 + int.from_bytes(self.content[140:144], "little")
        return hashlib.sha256(self.content[head_size:]).hexdigest()


def uid(*parts: object) -> UID:
    """A UID that the same parts give again."""
    return UID(UID_ROOT + str(int(hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:31], 16)))


def head(identity: Identity, seed: int) -> list[Picture]:
    """A CT of a head: skull, brain, ventricles, and on some slices a dense spot."""
    noise = np.random.default_rng(seed)
    series = uid(identity.study_uid, "head")
    found = []
    for number in range(SLICES):
        level = abs(number - SLICES / 2) / SLICES
        size = 1 - 0.7 * level * level * 2
        values = np.full((HEAD, HEAD), -1000.0)
        values[_ellipse(HEAD, 0.5, 0.5, 0.42 * size, 0.36 * size)] = 900
        values[_ellipse(HEAD, 0.5, 0.5, 0.39 * size, 0.33 * size)] = 36
        values[_ellipse(HEAD, 0.47, 0.45, 0.10 * size, 0.035)] = 6
        values[_ellipse(HEAD, 0.47, 0.55, 0.10 * size, 0.035)] = 6
        if 4 <= number <= 7:
            values[_ellipse(HEAD, 0.42, 0.68, 0.05, 0.04)] = 22
        values += noise.normal(0, 5, values.shape)
        stored = np.clip(values + 1024, 0, 4095).astype(np.uint16)
        data = _dataset(identity, CTImageStorage, series, "CT", number + 1, stored, 1)
        data.RescaleIntercept, data.RescaleSlope = "-1024", "1"
        data.WindowCenter, data.WindowWidth = "40", "80"
        data.PixelSpacing, data.SliceThickness = ["0.9", "0.9"], "5"
        data.SliceLocation = f"{number * 5}"
        data.ImagePositionPatient = ["0", "0", f"{number * 5}"]
        data.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        data.SeriesDescription = "Head 5 mm"
        found.append(_picture(data, series, number + 1))
    return found


def chest(identity: Identity, seed: int) -> Picture:
    """A radiograph of a chest: lungs, heart, ribs."""
    noise = np.random.default_rng(seed)
    values = np.full((CHEST, CHEST), 1500.0)
    values[_ellipse(CHEST, 0.5, 0.5, 0.47, 0.44)] = 2300
    for side in (0.31, 0.69):
        values[_ellipse(CHEST, 0.47, side, 0.33, 0.15)] = 900
        for rib in range(7):
            ring = _ellipse(CHEST, 0.2 + rib * 0.085, side, 0.05, 0.17)
            inner = _ellipse(CHEST, 0.215 + rib * 0.085, side, 0.05, 0.17)
            values[ring & ~inner] += 450
    values[_ellipse(CHEST, 0.6, 0.55, 0.17, 0.14)] = 2500
    values[:, int(CHEST * 0.47) : int(CHEST * 0.53)] += 500
    values += noise.normal(0, 25, values.shape)
    stored = np.clip(values, 0, 4095).astype(np.uint16)
    series = uid(identity.study_uid, "chest")
    data = _dataset(identity, DigitalXRayImageStorageForPresentation, series, "DX", 1, stored, 1)
    data.WindowCenter, data.WindowWidth = "1800", "2400"
    data.ImagerPixelSpacing = ["0.9", "0.9"]
    data.PresentationIntentType = "FOR PRESENTATION"
    data.SeriesDescription = "PA"
    return _picture(data, series, 1)


def _ellipse(size: int, row: float, column: float, height: float, width: float) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[:size, :size]
    inside: NDArray[np.bool_] = ((rows / size - row) / height) ** 2 + ((columns / size - column) / width) ** 2 <= 1
    return inside


def _dataset(
    identity: Identity, sop_class: UID, series: UID, modality: str, number: int, stored: NDArray[np.uint16], place: int
) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = uid(series, number)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid("synthetic pictures")
    data = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID, data.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = identity.study_uid, series
    data.StudyDate = data.SeriesDate = data.ContentDate = f"{identity.started:%Y%m%d}"
    data.StudyTime = data.SeriesTime = data.ContentTime = f"{identity.started:%H%M%S}"
    data.AccessionNumber, data.Modality = identity.accession, modality
    data.Manufacturer, data.StationName = "Synthetic", identity.station
    data.StudyDescription, data.BodyPartExamined = identity.description, identity.body_part
    data.PatientName, data.PatientID = identity.name, identity.patient_id
    data.PatientBirthDate, data.PatientSex = identity.birth, identity.sex
    data.StudyID, data.SeriesNumber, data.InstanceNumber = "1", place, number
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = stored.shape
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelData = stored.tobytes()
    return data


def _picture(data: FileDataset, series: UID, number: int) -> Picture:
    sink = BytesIO()
    data.save_as(sink, enforce_file_format=True)
    return Picture(str(data.SOPInstanceUID), series, str(data.SOPClassUID), number, sink.getvalue())
