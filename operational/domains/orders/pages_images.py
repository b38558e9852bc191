"""Screens of images: a study with its series, the slices for the viewer, pictures for print and for no scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.responses import Response

from operational.domains.orders import errors, images, imaging_store, pixels, repository, views
from operational.domains.orders.inbox import repository as deliveries
from operational.domains.orders.models import Device, DiagnosticOrder, DiagnosticReport, ImagingStudy
from operational.domains.orders.permissions import CanSeeImages
from operational.domains.orders.rules import rules
from operational.domains.patients import repository as patients
from operational.domains.patients.models import Patient
from operational.kit.errors import NotFound
from operational.web.database import Db
from operational.web.language import language_of
from operational.web.shell import render

router = APIRouter(include_in_schema=False)
THUMBNAIL = 112
WINDOWED = ("CT",)


@dataclass(frozen=True, slots=True)
class SeriesLine:
    """A series in the viewer's list; ``thumbnail`` is the object in its middle."""

    title: str
    pictures: int
    thumbnail: int


@dataclass(frozen=True, slots=True)
class StudyPage:
    """One study. ``series_json`` holds, for every series, [object, frame] of each picture in order."""

    study: ImagingStudy
    patient: Patient | None
    name: str
    order: DiagnosticOrder | None
    device: Device | None
    what: str
    lines: Sequence[SeriesLine]
    series_json: str
    presets: Sequence[tuple[str, str]]
    reports: Sequence[DiagnosticReport]


def _study(db: Session, key: int) -> ImagingStudy:
    study = repository.study(db, key)
    if study is None or study.voided_at is not None:
        raise NotFound()
    return study


@router.get("/images/{key:int}", response_class=HTMLResponse)
def show(request: Request, viewer: CanSeeImages, db: Db, key: int) -> HTMLResponse:
    """The study in the viewer; the opening is audited."""
    study = _study(db, key)
    images.opened(db, request.app.state.clock, viewer.user_id, study.id, page=True)
    patient = patients.get(db, study.patient_id) if study.patient_id is not None else None
    language = language_of(request)
    coded = repository.coded_names(db, "modality", "body_part")
    what = ", ".join(
        views.localized(coded.get((kind, code)), language, code)
        for kind, code in (("modality", study.modality or ""), ("body_part", study.body_part or ""))
        if code
    )
    found = [series for series in imaging_store.series_of(db, study.study_uid) if series.instances]
    places = [[[row.id, frame] for row in series.instances for frame in range(max(row.frames, 1))] for series in found]
    page = StudyPage(
        study=study,
        patient=patient,
        name=views.full_name(patient) if patient else "",
        order=repository.order(db, study.order_id) if study.order_id is not None else None,
        device=deliveries.device(db, study.device_id),
        what=what,
        lines=[
            SeriesLine(
                " · ".join(str(p) for p in (series.number, series.description or series.modality) if p is not None),
                len(slots), series.instances[len(series.instances) // 2].id,
            )
            for series, slots in zip(found, places, strict=True)
        ],
        series_json=json.dumps([{"places": slots} for slots in places], separators=(",", ":")),
        presets=[
            (name, f"{centre:g},{width:g}") for name, (centre, width) in rules().windows.items()
        ] if any(series.modality in WINDOWED for series in found) else [],
        reports=repository.reports_of_study(db, study),
    )  # fmt: skip
    return render(request, "orders/study.html", page)


def _frame(request: Request, db: Session, viewer_id: int, key: int, instance_id: int, number: int) -> pixels.Frame:
    study = _study(db, key)
    instance = repository.instance(db, study.study_uid, instance_id)
    if instance is None or not 0 <= number < max(instance.frames, 1):
        raise NotFound()
    home: Path = request.app.state.settings.root
    found = pixels.read_frame(images.path_under(home, instance.file_path), number)
    images.opened(db, request.app.state.clock, viewer_id, study.id)
    return found


@router.get("/images/{key:int}/pixels/{instance_id:int}")
def slice_values(
    request: Request, viewer: CanSeeImages, db: Db, key: int, instance_id: int, frame: int = 0, scale: int = 1
) -> Response:
    """The stored values of a picture for the viewer; ``scale`` 2 or 4 is smaller and comes first on a slow line."""
    if scale not in pixels.SCALES:
        raise NotFound()
    found = _frame(request, db, viewer.user_id, key, instance_id, frame)
    return Response(
        pixels.packed(found, scale), media_type="application/octet-stream", headers={"Content-Encoding": "gzip"}
    )


@router.get("/images/{key:int}/picture/{instance_id:int}")
def picture(
    request: Request,
    viewer: CanSeeImages,
    db: Db,
    key: int,
    instance_id: int,
    frame: int = 0,
    center: float | None = None,
    width: float | None = None,
    small: bool = False,
) -> Response:
    """A picture as PNG in a window; without one in the file's own."""
    found = _frame(request, db, viewer.user_id, key, instance_id, frame)
    if width is not None and not 1 <= width <= 1e6:
        raise errors.BadNumber("width")
    window = (
        center if center is not None else found.window[0],
        width if width is not None else found.window[1],
    )
    body = pixels.png(pixels.windowed(found, *window), THUMBNAIL if small else None)
    return Response(body, media_type="image/png")
