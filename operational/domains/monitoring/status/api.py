"""The state of the installation for programs that watch it: the same findings and numbers as on the page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from operational.domains.monitoring.permissions import CanRunPasses, CanSeeStatus
from operational.domains.monitoring.status import service
from operational.domains.monitoring.status.findings import findings_of, overall
from operational.domains.monitoring.status.pages import facts_of
from operational.domains.monitoring.status.repository import Outbox, Waiting
from operational.web.database import Db
from operational.web.language import language_of
from operational.web.texts import translate

router = APIRouter(prefix="/status", tags=["status"])


class FromRows(BaseModel):
    """Read from an object's attributes."""

    model_config = ConfigDict(from_attributes=True)


class FindingOut(BaseModel):
    """One finding: what, since when, what to do, and the runbook's section."""

    severity: str
    code: str
    text: str
    do: str
    section: str
    since: datetime | None


class HolderOut(FromRows):
    """The session that keeps the watermark back."""

    pid: int
    application: str
    role: str
    since: datetime | None
    state: str


class PassOut(FromRows):
    """One pass of the writer."""

    id: int
    kind: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    feed_rows: int
    models: int
    error: str | None


class DeviceOut(FromRows):
    """What one device delivered."""

    code: str
    protocol: str
    active: bool
    delivered: int
    day: int
    unmatched: int
    quarantined: int
    last_at: datetime | None


class StatusOut(BaseModel):
    """The whole state; ``state`` is ok, warning or critical."""

    state: str
    at: datetime
    findings: list[FindingOut]
    writer_told_at: datetime | None
    snapshot: int | None
    published_at: datetime | None
    waiting: Waiting
    holder: HolderOut | None
    last_good: dict[str, datetime]
    reconciled_at: datetime | None
    passes: list[PassOut]
    outbox: Outbox
    last_backup_at: datetime | None
    last_restore_test_at: datetime | None
    devices: list[DeviceOut]
    lake: dict[str, Any]


class Wanted(BaseModel):
    """What the writer is asked for: refresh, maintenance or verification."""

    kind: str


class RequestOut(BaseModel):
    """The number of the request."""

    id: int


@router.get("")
def state(request: Request, viewer: CanSeeStatus, db: Db) -> StatusOut:
    """How the installation stands; texts are in the reader's language."""
    facts = facts_of(request, db)
    findings = findings_of(facts)
    language = language_of(request)
    return StatusOut(
        state=overall(findings),
        at=facts.now,
        findings=[
            FindingOut(
                severity=finding.severity,
                code=finding.code,
                text=translate(language, f"status.finding.{finding.code}", **finding.params),
                do=translate(language, f"status.do.{finding.code}", **finding.params),
                section=finding.section,
                since=finding.since,
            )
            for finding in findings
        ],
        writer_told_at=facts.told_at,
        snapshot=facts.newest.snapshot_id if facts.newest else None,
        published_at=facts.newest.published_at if facts.newest else None,
        waiting=facts.waiting,
        holder=HolderOut.model_validate(facts.holder) if facts.holder else None,
        last_good=dict(facts.last_good),
        reconciled_at=facts.reconciled_at,
        passes=[PassOut.model_validate(row) for row in facts.passes],
        outbox=facts.outbox,
        last_backup_at=facts.last_backup_at,
        last_restore_test_at=facts.last_tested_at,
        devices=[DeviceOut.model_validate(line) for line in facts.devices],
        lake=dict(facts.state),
    )


@router.post("/requests", status_code=202)
def ask(viewer: CanRunPasses, db: Db, wanted: Wanted) -> RequestOut:
    """Ask the writer for a pass."""
    return RequestOut(id=service.ask(db, viewer, wanted.kind))
