"""Pictures out of DICOM files: the stored values of a frame, how they are shown, and a compact form for the viewer.

Sections of the standard: PS3.3 C.7.6.3 (image pixel), C.11.1 (modality LUT), C.11.2 (VOI LUT, linear function).
"""

from __future__ import annotations

import gzip
import io
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut
from pydicom.pixels.utils import pixel_array

from operational.domains.orders import errors

SCALES = (1, 2, 4)
TAGS = [
    "WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept", "PixelSpacing", "ImagerPixelSpacing",
    "SliceLocation", "SliceThickness", "InstanceNumber", "ModalityLUTSequence", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "PhotometricInterpretation",
]  # fmt: skip
# The viewer's form is written once per slice and read over a slow line: a middle level costs 20 ms and saves half.
LEVEL = 6


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture. ``values``: stored values (rows, columns), or colours (rows, columns, 3) of 8 bits.

    A stored value times ``slope`` plus ``intercept`` is in the unit of the modality (CT: Hounsfield). ``window`` is
    the file's own (centre, width), or one that shows the whole range.
    """

    values: NDArray[Any]
    slope: float
    intercept: float
    window: tuple[float, float]
    inverted: bool
    spacing: tuple[float, float] | None
    location: float | None

    @property
    def colour(self) -> bool:
        """Whether the picture has colours and no window."""
        return self.values.ndim == 3


def read_frame(path: Path, number: int) -> Frame:
    """Frame ``number`` (from 0) of the file.

    Raises ImageMissing, ImageSyntaxUnsupported for a compression that no installed decoder reads, ImageUnreadable.
    """
    if not path.is_file():
        raise errors.ImageMissing()
    head = Dataset()
    try:
        values = pixel_array(path, ds_out=head, specific_tags=[tag_for_keyword(tag) or 0 for tag in TAGS], index=number)
    except (NotImplementedError, RuntimeError):
        # A missing decoder and one that fails on damaged data raise the same class.
        raise (errors.ImageUnreadable() if _decoder_installed(path) else errors.ImageSyntaxUnsupported()) from None
    except (InvalidDicomError, AttributeError, ValueError, KeyError, TypeError, EOFError, OSError):
        raise errors.ImageUnreadable() from None
    return _frame(np.asarray(values), head, number)


def _decoder_installed(path: Path) -> bool:
    """Whether something here reads the compression that the file names."""
    try:
        return bool(get_decoder(read_file_meta_info(path).TransferSyntaxUID).is_available)
    except NotImplementedError:
        return False


def _frame(values: NDArray[Any], head: Dataset, number: int) -> Frame:
    photometric = str(head.get("PhotometricInterpretation", "MONOCHROME2"))
    if photometric == "PALETTE COLOR":
        values = np.asarray(apply_color_lut(values, head))
        values = (values >> 8).astype(np.uint8) if values.dtype.itemsize > 1 else values
    if values.ndim == 3:
        if values.shape[2] not in (3, 4) or values.dtype != np.uint8:
            raise errors.ImageUnreadable()
        return Frame(values[:, :, :3], 1.0, 0.0, (128.0, 256.0), False, _spacing(head), None)
    if values.ndim != 2 or values.dtype.kind not in "iu":
        raise errors.ImageUnreadable()
    slope, intercept = 1.0, 0.0
    if "ModalityLUTSequence" in head:
        values = np.asarray(apply_modality_lut(values, head))
    else:
        transform = _functional(head, number, "PixelValueTransformationSequence") or head
        slope = float(transform.get("RescaleSlope") or 1)
        intercept = float(transform.get("RescaleIntercept") or 0)
    low, high = int(values.min()), int(values.max())
    if low < -32768 or high > 65535 or (low < 0 and high > 32767):
        raise errors.ImageUnreadable()
    values = values.astype(np.int16 if low < 0 else np.uint16)
    location = head.get("SliceLocation")
    return Frame(
        values, slope, intercept, _window(head, number, low * slope + intercept, high * slope + intercept),
        photometric == "MONOCHROME1", _spacing(head), float(location) if location is not None else None,
    )  # fmt: skip


def _functional(head: Dataset, number: int, name: str) -> Dataset | None:
    """A functional group of an enhanced object: of the frame, else shared by all frames."""
    frames = head.get("PerFrameFunctionalGroupsSequence")
    groups = [frames[number]] if frames and number < len(frames) else []
    groups += list(head.get("SharedFunctionalGroupsSequence") or [])
    for group in groups:
        found = group.get(name)
        if found:
            return Dataset(found[0])
    return None


def _window(head: Dataset, number: int, low: float, high: float) -> tuple[float, float]:
    source = _functional(head, number, "FrameVOILUTSequence") or head
    centre, width = _first(source.get("WindowCenter")), _first(source.get("WindowWidth"))
    if centre is not None and width is not None and width >= 1:
        return centre, width
    return (low + high) / 2 + 0.5, max(high - low + 1, 2.0)


def _first(value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(value)
    except TypeError:
        return float(value[0]) if len(value) else None


def _spacing(head: Dataset) -> tuple[float, float] | None:
    found = head.get("PixelSpacing") or head.get("ImagerPixelSpacing")
    return (float(found[0]), float(found[1])) if found and len(found) == 2 else None


def windowed(frame: Frame, centre: float, width: float) -> NDArray[np.uint8]:
    """The picture on a screen of 256 greys by the linear function of PS3.3 C.11.2.1.2."""
    if frame.colour:
        return np.asarray(frame.values, dtype=np.uint8)
    unit = frame.values.astype(np.float64) * frame.slope + frame.intercept
    if width <= 1:
        shown = np.where(unit <= centre - 0.5, 0.0, 255.0)
    else:
        shown = np.clip(((unit - (centre - 0.5)) / (width - 1) + 0.5) * 255, 0, 255)
    grey = np.rint(shown).astype(np.uint8)
    return 255 - grey if frame.inverted else grey


def png(picture: NDArray[np.uint8], largest: int | None = None) -> bytes:
    """The picture as PNG, made smaller when a side is longer than ``largest``."""
    image = Image.fromarray(picture)
    if largest is not None:
        image.thumbnail((largest, largest))
    out = io.BytesIO()
    image.save(out, format="PNG", optimize=False)
    return out.getvalue()


def shrunk(frame: Frame, scale: int) -> NDArray[Any]:
    """The stored values with ``scale`` times fewer rows and columns, each the mean of its block."""
    values = frame.values
    if scale == 1:
        return values
    rows, columns = values.shape[0] // scale * scale, values.shape[1] // scale * scale
    if not rows or not columns:
        return values
    blocks = values[:rows, :columns].reshape(rows // scale, scale, columns // scale, scale, *values.shape[2:])
    means: NDArray[Any] = np.rint(blocks.mean(axis=(1, 3))).astype(values.dtype)
    return means


def packed(frame: Frame, scale: int = 1) -> bytes:
    """The form that ``static/js/viewer.js`` reads, compressed by gzip.

    Four bytes little-endian: length of a JSON head; the head; then of greys two planes (low and high bytes) of the
    difference of each value from the mean of its left and upper neighbours, modulo 65536 and folded to be positive;
    of colours a PNG.
    """
    values = shrunk(frame, scale)
    head = json.dumps({
        "rows": int(values.shape[0]), "columns": int(values.shape[1]), "colour": frame.colour,
        "signed": values.dtype.kind == "i", "slope": frame.slope, "intercept": frame.intercept,
        "window": list(frame.window), "inverted": frame.inverted, "spacing": frame.spacing,
        "location": frame.location, "scale": scale, "fullRows": int(frame.values.shape[0]),
        "fullColumns": int(frame.values.shape[1]),
    }).encode()  # fmt: skip
    body = png(values) if frame.colour else _planes(values)
    return gzip.compress(struct.pack("<I", len(head)) + head + body, LEVEL, mtime=0)


def _planes(values: NDArray[Any]) -> bytes:
    wide = values.astype(np.int32)
    left, upper = np.zeros_like(wide), np.zeros_like(wide)
    left[:, 1:], upper[1:, :] = wide[:, :-1], wide[:-1, :]
    guess = (left + upper) >> 1
    guess[0, :], guess[:, 0] = left[0, :], upper[:, 0]
    difference = ((wide - guess + 32768) & 0xFFFF) - 32768
    folded = (np.where(difference < 0, -2 * difference - 1, 2 * difference)).astype(np.uint16)
    return (folded & 0xFF).astype(np.uint8).tobytes() + (folded >> 8).astype(np.uint8).tobytes()
