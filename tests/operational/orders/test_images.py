"""Images: slices for the viewer, windows against numpy, compressions, damage, who sees them, the audit."""

from __future__ import annotations

import gzip
import io
import json
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1, RLELossless
from sqlalchemy.orm import Session

from kmis.clock import FixedClock
from kmis.settings import Settings
from operational.domains.orders import errors, images, pixels
from operational.kit.access import Scope
from tests.operational.orders.factories import count, create_study, ct_slice, write_ct
from tests.operational.orders.test_ordering import placed
from tests.operational.patients.builders import registered
from tests.operational.stage import NOW, browser


def unpacked(body: bytes) -> tuple[dict[str, Any], NDArray[Any]]:
    """The reader of the viewer's form, written a second time: one value after another, as the browser does it."""
    size = struct.unpack_from("<I", body)[0]
    head = json.loads(body[4 : 4 + size])
    rows, columns = head["rows"], head["columns"]
    planes = np.frombuffer(body[4 + size :], dtype=np.uint8).reshape(2, rows, columns).astype(int)
    folded = planes[0] + 256 * planes[1]
    values = np.zeros((rows, columns), dtype=int)
    for y in range(rows):
        for x in range(columns):
            step = (folded[y, x] >> 1) ^ -(folded[y, x] & 1)
            guess = 0
            if x and y:
                guess = (values[y, x - 1] + values[y - 1, x]) >> 1
            elif x:
                guess = values[y, x - 1]
            elif y:
                guess = values[y - 1, x]
            wrapped = (guess + step) & 0xFFFF
            values[y, x] = wrapped - 65536 if head["signed"] and wrapped > 32767 else wrapped
    return head, values


@pytest.mark.requirement("PACS-03", "CARD-04")
def test_every_slice_reaches_the_viewer_without_loss(
    client: TestClient, client_kk: TestClient, session: Session, settings: Settings, world: dict[str, int]
) -> None:
    patient = registered(session)
    study, instances = create_study(session, settings.root, world["polyclinic"], slices=4, patient_id=patient.id)
    page = client.get(f"/images/{study.id}")
    assert page.status_code == 200
    assert "Компьютерная томография, Грудная клетка" in page.text and patient.surname in page.text
    assert "<style" not in page.text and "style=" not in page.text
    listed = json.loads(page.text.split('data-series="')[1].split('"')[0].replace("&#34;", '"').replace("&quot;", '"'))
    assert listed == [{"places": [[instance.id, 0] for instance in instances]}]
    assert "Өкпе" in client_kk.get(f"/images/{study.id}").text
    for number, instance in enumerate(instances, 1):
        answer = client.get(f"/images/{study.id}/pixels/{instance.id}")
        head, values = unpacked(answer.content)
        assert (head["slope"], head["intercept"], head["window"], head["scale"]) == (1, -24, [40, 400], 1)
        assert np.array_equal(values, ct_slice(number))
    small, fewer = unpacked(client.get(f"/images/{study.id}/pixels/{instances[0].id}?scale=2").content)
    whole = ct_slice(1)
    assert (small["rows"], small["columns"], small["fullRows"]) == (32, 48, 64)
    assert fewer[3, 7] == round(float(whole[6:8, 14:16].mean()))
    for bad in ("?scale=3", "?frame=1", "?frame=-1"):
        assert client.get(f"/images/{study.id}/pixels/{instances[0].id}{bad}").status_code == 404


@pytest.mark.parametrize(("centre", "width"), [(40, 400), (-600, 1500), (300, 1500), (40, 80), (40, 2), (0.5, 1)])
def test_a_window_agrees_with_the_standard(
    client: TestClient, session: Session, settings: Settings, world: dict[str, int], centre: float, width: float
) -> None:
    study, instances = create_study(session, settings.root, world["polyclinic"], slices=1)
    answer = client.get(f"/images/{study.id}/picture/{instances[0].id}?center={centre}&width={width}")
    assert answer.headers["content-type"] == "image/png"
    shown = np.asarray(Image.open(io.BytesIO(answer.content)))
    wanted = np.empty(shown.shape)
    for place, stored in np.ndenumerate(ct_slice(1)):
        unit = float(stored) - 24  # PS3.3 C.11.1.1.2, then C.11.2.1.2.1 case by case
        if unit <= centre - 0.5 - (width - 1) / 2:
            wanted[place] = 0
        elif unit > centre - 0.5 + (width - 1) / 2:
            wanted[place] = 255
        else:
            wanted[place] = ((unit - (centre - 0.5)) / (width - 1) + 0.5) * 255
    assert np.abs(shown - wanted).max() <= 0.5
    assert len(np.unique(shown)) > 1


def test_an_inverted_picture(tmp_path: Path) -> None:
    write_ct(tmp_path / "a.dcm", "1.2", "1.2.3", 1, PhotometricInterpretation="MONOCHROME1")
    write_ct(tmp_path / "b.dcm", "1.2", "1.2.3", 1)
    negative, plain = (pixels.read_frame(tmp_path / name, 0) for name in ("a.dcm", "b.dcm"))
    assert np.array_equal(pixels.windowed(negative, 40, 400), 255 - pixels.windowed(plain, 40, 400))


def colours(frames: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 255, (frames, 20, 30, 3), dtype=np.uint8)


def test_frames_of_an_ultrasound_cine(tmp_path: Path) -> None:
    picture = colours(3)
    write_ct(
        tmp_path / "us.dcm", "1.2", "1.2.3", 1, Rows=20, Columns=30, SamplesPerPixel=3, PhotometricInterpretation="RGB",
        PlanarConfiguration=0, BitsAllocated=8, BitsStored=8, HighBit=7, PixelRepresentation=0, NumberOfFrames=3,
        PixelData=picture.tobytes(), Modality="US",
    )  # fmt: skip
    for number in range(3):
        frame = pixels.read_frame(tmp_path / "us.dcm", number)
        assert frame.colour and np.array_equal(frame.values, picture[number])
        body = gzip.decompress(pixels.packed(frame))
        size = struct.unpack_from("<I", body)[0]
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(body[4 + size :]))), picture[number])
    with pytest.raises(errors.ImageUnreadable):
        pixels.read_frame(tmp_path / "us.dcm", 3)


def test_an_enhanced_object_gives_each_frame_its_scale(tmp_path: Path) -> None:
    picture = np.stack([ct_slice(1), ct_slice(2)])
    groups = []
    for slope, centre in ((2, 100), (3, 50)):
        group, transform, window = Dataset(), Dataset(), Dataset()
        transform.RescaleSlope, transform.RescaleIntercept = str(slope), "5"
        window.WindowCenter, window.WindowWidth = str(centre), "200"
        group.PixelValueTransformationSequence, group.FrameVOILUTSequence = [transform], [window]
        groups.append(group)
    write_ct(
        tmp_path / "e.dcm", "1.2", "1.2.3", 1, NumberOfFrames=2, PixelData=picture.tobytes(),
        PerFrameFunctionalGroupsSequence=groups,
    )  # fmt: skip
    frames = [pixels.read_frame(tmp_path / "e.dcm", number) for number in (0, 1)]
    assert [(frame.slope, frame.intercept, frame.window) for frame in frames] == [
        (2, 5, (100, 200)), (3, 5, (50, 200)),
    ]  # fmt: skip
    assert np.array_equal(frames[1].values, ct_slice(2))


def test_without_a_window_of_its_own_the_whole_range_is_shown(tmp_path: Path) -> None:
    write_ct(tmp_path / "a.dcm", "1.2", "1.2.3", 1, WindowCenter=None, WindowWidth=None)
    frame = pixels.read_frame(tmp_path / "a.dcm", 0)
    shown = pixels.windowed(frame, *frame.window)
    assert (int(shown.min()), int(shown.max())) == (0, 255)
    assert shown[frame.values == frame.values.min()].max() == 0


def test_a_compression_that_can_be_read_and_one_that_cannot(tmp_path: Path) -> None:
    data = write_ct(tmp_path / "a.dcm", "1.2", "1.2.3", 1)
    data.compress(RLELossless)
    data.save_as(tmp_path / "rle.dcm")
    assert np.array_equal(pixels.read_frame(tmp_path / "rle.dcm", 0).values, ct_slice(1))
    data.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    data.save_as(tmp_path / "jll.dcm")
    with pytest.raises(errors.ImageSyntaxUnsupported):
        pixels.read_frame(tmp_path / "jll.dcm", 0)


def test_pictures_compressed_by_jpeg_2000_and_baseline(tmp_path: Path) -> None:
    wanted = (ct_slice(1) + 1024).astype(np.uint16)
    smooth = np.add.outer(np.arange(64), np.arange(96)).astype(np.uint8)
    cases: tuple[tuple[str, UID, NDArray[Any], dict[str, Any]], ...] = (
        ("j2k.dcm", JPEG2000Lossless, wanted, {"format": "JPEG2000", "no_jp2": True}),
        ("jpg.dcm", JPEGBaseline8Bit, smooth, {"format": "JPEG", "quality": 95}),
    )
    for name, syntax, picture, options in cases:
        out = io.BytesIO()
        Image.fromarray(picture).save(out, **options)
        bits = picture.dtype.itemsize * 8
        data = write_ct(
            tmp_path / name, "1.2", "1.2.3", 1, PixelRepresentation=0, BitsAllocated=bits, BitsStored=bits,
            HighBit=bits - 1, PixelData=encapsulate([out.getvalue()]),
        )  # fmt: skip
        data["PixelData"].VR = "OB"
        data.file_meta.TransferSyntaxUID = syntax
        data.save_as(tmp_path / name)
        values = pixels.read_frame(tmp_path / name, 0).values
        lossy = 0 if syntax == JPEG2000Lossless else 3
        assert np.abs(values.astype(int) - picture).max() <= lossy


def test_what_is_no_picture_is_refused_with_words(
    client: TestClient, client_kk: TestClient, session: Session, settings: Settings, world: dict[str, int]
) -> None:
    study, instances = create_study(session, settings.root, world["polyclinic"], slices=3)
    damaged, gone, cut = (settings.root / instance.file_path for instance in instances)
    damaged.write_bytes(b"this is no DICOM object")
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:2000])
    statuses = [client.get(f"/images/{study.id}/picture/{instance.id}").status_code for instance in instances]
    assert statuses == [422, 404, 422]
    answer = client_kk.get(
        f"/images/{study.id}/pixels/{instances[0].id}", headers={"Accept": "application/octet-stream"}
    )
    assert answer.status_code == 422 and "бүлінген" in answer.text


def test_a_path_out_of_the_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    for path in ("../secret.dcm", "/etc/passwd", "dicom/../../x"):
        with pytest.raises(errors.ImageMissing):
            images.path_under(tmp_path / "home", path)
    assert images.path_under(tmp_path / "home", "dicom/a.dcm").is_relative_to(tmp_path)


OPENED = "select count(*) from audit_event where action = 'imaging_study.opened' and object_id = :k"


def test_every_opening_is_audited_and_its_slices_once(
    settings: Settings, scope: Scope, session: Session, directories: None, world: dict[str, int]
) -> None:
    study, instances = create_study(session, settings.root, world["polyclinic"], slices=3)
    early = browser(settings, scope, session)
    early.get(f"/images/{study.id}")
    for instance in instances:
        assert early.get(f"/images/{study.id}/pixels/{instance.id}").status_code == 200
    assert count(session, OPENED, k=study.id) == 1
    early.get(f"/images/{study.id}")
    assert count(session, OPENED, k=study.id) == 2
    # A slice that is asked for an hour later, without the page, is an opening of its own.
    late = browser(settings, scope, session, clock=FixedClock(NOW + timedelta(hours=1)))
    late.get(f"/images/{study.id}/picture/{instances[0].id}")
    assert count(session, OPENED, k=study.id) == 3


def test_the_images_of_an_order_are_seen_by_who_ordered_and_by_no_third(
    client: TestClient,
    session: Session,
    settings: Settings,
    world: dict[str, int],
    acting_in: Callable[[int], TestClient],
) -> None:
    patient = registered(session)
    order = placed(
        client, patient.id, category="imaging", modality="CT", tests=[],
        performing_organisation_id=str(world["other"]),
    )  # fmt: skip
    performer = acting_in(world["other"])
    study, instances = create_study(
        session, settings.root, world["other"], patient_id=patient.id, order_id=order, slices=1
    )
    addresses = (f"/images/{study.id}", f"/images/{study.id}/pixels/{instances[0].id}")
    assert [performer.get(address).status_code for address in addresses] == [200, 200]
    third = acting_in(world["region"])
    assert [third.get(address).status_code for address in addresses] == [404, 404]
    orderer = acting_in(world["polyclinic"])
    assert [orderer.get(address).status_code for address in addresses] == [200, 200]
    assert f'href="/images/{study.id}"' in orderer.get(f"/orders/{order}").text


def test_images_need_their_permission(
    settings: Settings, scope: Scope, session: Session, directories: None, world: dict[str, int]
) -> None:
    study, instances = create_study(session, settings.root, world["polyclinic"], slices=1)
    other_study, _ = create_study(session, settings.root, world["polyclinic"], slices=1)
    nurse = browser(settings, replace(scope, permissions=scope.permissions - {"imaging.read"}), session)
    assert nurse.get(f"/images/{study.id}").status_code == 403
    assert nurse.get(f"/images/{study.id}/pixels/{instances[0].id}").status_code == 403
    allowed = browser(settings, scope, session)
    # An object is read through its own study only.
    assert allowed.get(f"/images/{other_study.id}/pixels/{instances[0].id}").status_code == 404


def test_a_slice_of_a_scanner_is_small_enough_for_a_slow_line() -> None:
    """512 by 512 with the noise of a scanner: the first view under 60 KB, the whole under 220 KB."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:512, :512]
    body = np.hypot(x - 256, y - 256) < 200
    values = np.where(body, 40, -1000) + rng.normal(0, 12, (512, 512)) * body + rng.normal(0, 2, (512, 512))
    frame = pixels.Frame(np.rint(values).astype(np.int16), 1, 0, (40, 400), False, None, None)
    sizes = [len(pixels.packed(frame, scale)) for scale in pixels.SCALES]
    assert sizes[1] < 60_000 and sizes[0] < 220_000 and sizes[2] < sizes[1] < sizes[0] < 512 * 512 * 2
