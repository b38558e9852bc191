"""The register for programs. Searches go in the body: no identifier stands in an address."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel

from operational.domains.patients import api_death, attaching, card, merging, repository, service
from operational.domains.patients.permissions import CanAttach, CanMerge, CanRead, CanRegister
from operational.domains.patients.schemas import (
    AttachmentIn,
    AttachmentOut,
    Edit,
    MergeIn,
    OpenByIinIn,
    PatientOut,
    PatientPage,
    Registration,
    SearchIn,
    SeparateIn,
)
from operational.domains.patients.views import now_of, today_of
from operational.web.database import Db

persons = APIRouter(prefix="/api/patients", tags=["patients"])


class OpenedOut(BaseModel):
    """The key of the record that was opened."""

    id: int


class TimelineEntryOut(BaseModel):
    """An entry of the digital medical card."""

    at: datetime
    kind: str
    title: str
    lines: list[str]
    url: str | None


class TimelineOut(BaseModel):
    """A page of the card; ``counts`` by kind."""

    total: int
    page: int
    pages: int
    counts: dict[str, int]
    items: list[TimelineEntryOut]


@persons.post("", status_code=201)
def register(request: Request, viewer: CanRegister, db: Db, body: Registration) -> PatientOut:
    """Add a person. 422 for a refused field, 409 for a record that exists or a possible duplicate."""
    return PatientOut.model_validate(service.register(db, body, today_of(request)))


@persons.post("/search")
def search(request: Request, viewer: CanRead, db: Db, body: SearchIn) -> PatientPage:
    """Find persons by name, IIN or its tail, birth date, phone, document or number of the register."""
    found = service.search(
        db, body.query, today_of(request), sort=body.sort, descending=body.descending,
        offset=(body.page - 1) * body.size, limit=body.size,
    )  # fmt: skip
    items = [PatientOut.model_validate(patient) for patient in found.patients]
    return PatientPage(total=found.total, page=body.page, reading=found.reading, items=items)


@persons.post("/open")
def open_by_iin(viewer: CanRegister, db: Db, body: OpenByIinIn) -> OpenedOut:
    """Show a record of the region to the viewer's organisation, with a reason that the audit keeps."""
    return OpenedOut(id=service.open_by_iin(db, body.iin, body.reason))


@persons.post("/merge")
def merge(request: Request, viewer: CanMerge, db: Db, body: MergeIn) -> PatientOut:
    """Make two records one person; the answer is the surviving record. 409 where that is refused."""
    target = merging.merge(db, body.source_id, body.target_id, body.reason, now_of(request))
    return PatientOut.model_validate(target)


@persons.post("/separate")
def separate(request: Request, viewer: CanMerge, db: Db, body: SeparateIn) -> PatientOut:
    """Take a merge back; the answer is the record that stands on its own again."""
    return PatientOut.model_validate(merging.separate(db, body.source_id, body.reason, now_of(request)))


@persons.get("/{patient_id}")
def read(patient_id: int, viewer: CanRead, db: Db) -> PatientOut:
    """A record by its key."""
    return PatientOut.model_validate(service.get(db, patient_id))


@persons.put("/{patient_id}")
def edit(patient_id: int, request: Request, viewer: CanRegister, db: Db, body: Edit) -> PatientOut:
    """Correct a record, with a reason."""
    return PatientOut.model_validate(service.edit(db, patient_id, body, today_of(request)))


@persons.get("/{patient_id}/attachments")
def attachments(patient_id: int, viewer: CanRead, db: Db) -> list[AttachmentOut]:
    """The attachments of a person, newest first."""
    service.get(db, patient_id)
    return [AttachmentOut.model_validate(row.attachment) for row in repository.attachments(db, [patient_id])]


@persons.post("/{patient_id}/attachments", status_code=201)
def attach(patient_id: int, request: Request, viewer: CanAttach, db: Db, body: AttachmentIn) -> AttachmentOut:
    """Attach a person to a site; what holds on that day ends with it."""
    return AttachmentOut.model_validate(attaching.attach(db, patient_id, body, today_of(request)))


@persons.get("/{patient_id}/timeline")
def timeline(patient_id: int, request: Request, viewer: CanRead, db: Db, kind: str = "", page: int = 1) -> TimelineOut:
    """The person's card in order of time, newest first, all merged records together."""
    records = service.records_of_person(db, patient_id)
    query = card.TimelineQuery(
        tuple(record.id for record in records), viewer.language, request.app.state.settings.timezone, 50
    )
    shown = card.timeline(db, query, viewer.permissions, kinds=[kind] if kind else (), page=page)
    items = [
        TimelineEntryOut(at=e.at, kind=e.kind, title=e.title, lines=list(e.lines), url=e.url) for e in shown.entries
    ]
    return TimelineOut(total=shown.total, page=shown.page, pages=shown.pages, counts=shown.counts, items=items)


router = APIRouter()
router.include_router(persons)
router.include_router(api_death.router)
