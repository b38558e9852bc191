"""Where the objects of a study lie: the index and the files, for the viewer and for everything that shows images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from operational.domains.orders import receiving_repository as repository
from operational.domains.orders.models import ImagingInstance


@dataclass(frozen=True, slots=True)
class Series:
    """A series with its objects in the order in which they are paged."""

    series_uid: str
    number: int | None
    modality: str | None
    description: str | None
    instances: tuple[ImagingInstance, ...]


def series_of(session: Session, study_uid: str) -> Sequence[Series]:
    """The series of a study by number; empty when the scope does not see the study."""
    grouped: dict[str, list[ImagingInstance]] = {}
    for instance in repository.instances(session, study_uid):
        grouped.setdefault(instance.series_uid, []).append(instance)
    return [
        Series(uid, found[0].series_number, found[0].modality, found[0].series_description, tuple(found))
        for uid, found in grouped.items()
    ]


def instance_file(session: Session, home: Path, sop_uid: str) -> Path | None:
    """The DICOM file of one object; None when the scope does not see it or the file is gone."""
    instance = repository.instance(session, sop_uid)
    if instance is None:
        return None
    path = home / instance.file_path
    return path if path.is_file() else None
