"""DICOM objects for tests, and dcmtk's own programs as the peers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

# The virtual environment has programs of the same names: these are dcmtk's, wherever PATH leads.
DCMTK = Path("/usr/bin")


def ct_slice(study: str, series: str, number: int, **values: Any) -> Dataset:
    """A small CT slice of an invented person."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = values.pop("transfer_syntax", ExplicitVRLittleEndian)
    image.SpecificCharacterSet = "ISO_IR 192"
    image.SOPClassUID = CTImageStorage
    image.SOPInstanceUID = generate_uid()
    image.StudyInstanceUID, image.SeriesInstanceUID = study, series
    image.StudyDate, image.StudyTime, image.Modality = "20261120", "081500", "CT"
    image.PatientName, image.PatientID = "Құрылғыбаева^Сынақгүл", ""
    image.SeriesNumber, image.InstanceNumber = 1, number
    image.Rows = image.Columns = 16
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.PixelData = bytes((number + place) % 16 for place in range(512))
    for name, value in values.items():
        setattr(image, name, value)
    return image


def save(image: Dataset, path: Path) -> Path:
    """Write an object as a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.save_as(path, enforce_file_format=True)
    return path


def dcmtk(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of dcmtk."""
    return subprocess.run(
        [str(DCMTK / program), *arguments], capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"TCP_NODELAY": "1"},
    )  # fmt: skip


def store(port: int, *paths: Path, aet: str = "TESTCT", called: str = "KMIS", options: tuple[str, ...] = ()) -> Any:
    """``storescu`` with what it says."""
    names = [str(path) for path in paths]
    return dcmtk("storescu", "-v", "-aet", aet, "-aec", called, *options, "127.0.0.1", str(port), *names)
