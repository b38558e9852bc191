"""What the state of the installation is read from: counts, times and names of tables, no row about a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.orm import Session

from operational.domains.orders.models import Device, DeviceMessage, ImagingStudy
from operational.kit.models import (
    BackupRun,
    FeedMonth,
    GateLook,
    LakeHistory,
    LakePass,
    LakeState,
    OutboxAttempt,
    OutboxMessage,
    PassRequest,
    Published,
)
from operational.web.listing import ListRequest

GOOD = ("published", "unchanged", "done")
FIGURES = ("refresh", "rebuild")
PASS_KINDS = ("refresh", "rebuild", "maintenance", "verification")
PASS_STATES = ("running", "published", "unchanged", "done", "failed")
KEY_DIGITS = 18
OWED_STATES = ("failed", "waiting")
PASS_SORTS = ("started_at", "kind", "state", "took", "feed_rows", "models")
OWED_SORTS = ("status", "created_at", "topic", "partner", "attempts")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Entries of the feed that the newest publication does not hold; counted up to a limit."""

    entries: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Holder:
    """The session whose open transaction keeps the watermark back."""

    pid: int
    application: str
    role: str
    client: str
    since: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class Partition:
    """One month of the change feed in the store."""

    month: date
    bytes: int
    entries: int | None
    verified_at: datetime | None
    dropped_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device: what it delivered, what of it waits, when it was heard last."""

    id: int
    code: str
    protocol: str
    active: bool
    delivered: int
    day: int
    unmatched: int
    quarantined: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outbox:
    """Messages that are owed: how many, and since when the oldest waits."""

    waiting: int
    failed: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Owed:
    """One message that is owed, without what it says."""

    id: int
    topic: str
    partner: str
    status: str
    created_at: datetime
    attempts: int
    error: str | None


def state(session: Session) -> LakeState | None:
    return session.scalar(select(LakeState))


def newest(session: Session) -> Published | None:
    return session.scalar(select(Published).order_by(Published.id.desc()).limit(1))


def first_published_at(session: Session) -> datetime | None:
    return session.scalar(select(func.min(Published.published_at)))


def waiting(session: Session) -> Waiting:
    row = session.execute(text("select entries, oldest_at from kmis_feed_waiting()")).one()
    return Waiting(int(row[0]), row[1])


def holder(session: Session) -> Holder | None:
    """Who keeps the watermark back now; None: nobody."""
    row = session.execute(
        text("select pid, application, role, client, since, state from kmis_watermark_holder()")
    ).one_or_none()
    return None if row is None else Holder(row[0], row[1] or "", row[2] or "", row[3] or "", row[4], row[5] or "")


def passes(session: Session, limit: int) -> Sequence[LakePass]:
    return session.scalars(select(LakePass).order_by(LakePass.id.desc()).limit(limit)).all()


def one_pass(session: Session, key: int) -> LakePass | None:
    return session.get(LakePass, key)


def newest_pass(session: Session, kinds: Sequence[str]) -> LakePass | None:
    """The newest pass of these kinds that has ended."""
    query = select(LakePass).where(LakePass.kind.in_(kinds), LakePass.state != "running")
    return session.scalar(query.order_by(LakePass.id.desc()).limit(1))


def last_good(session: Session) -> dict[str, datetime]:
    """When a pass of each kind last succeeded."""
    rows = session.execute(
        select(LakePass.kind, func.max(LakePass.finished_at)).where(LakePass.state.in_(GOOD)).group_by(LakePass.kind)
    )
    return {str(row[0]): row[1] for row in rows if row[1] is not None}


def failing_since(session: Session) -> datetime | None:
    """When passes to the figures began to fail, if the newest failed."""
    good = select(func.coalesce(func.max(LakePass.id), 0)).where(LakePass.kind.in_(FIGURES), LakePass.state.in_(GOOD))
    query = select(func.min(LakePass.finished_at)).where(
        LakePass.kind.in_(FIGURES), LakePass.state == "failed", LakePass.id > good.scalar_subquery()
    )
    return session.scalar(query)


def requests(session: Session) -> Sequence[PassRequest]:
    """What was asked for and is not done yet, the oldest first."""
    query = select(PassRequest).where(PassRequest.state.in_(("waiting", "running")))
    return session.scalars(query.order_by(PassRequest.id)).all()


def outbox(session: Session) -> Outbox:
    rows = session.execute(
        select(OutboxMessage.status, func.count(), func.min(OutboxMessage.created_at))
        .where(OutboxMessage.status.in_(("waiting", "failed")))
        .group_by(OutboxMessage.status)
    )
    found = {str(row[0]): (int(row[1]), row[2]) for row in rows}
    waits = found.get("waiting", (0, None))
    return Outbox(waits[0], found.get("failed", (0, None))[0], waits[1])


def pass_list(session: Session, asked: ListRequest) -> tuple[Sequence[LakePass], int]:
    """One page of the passes and how many match; searched by number, step and error, filtered by kind and state."""
    query = select(LakePass)
    for name in ("kind", "state"):
        if asked.filters.get(name):
            query = query.where(getattr(LakePass, name) == asked.filters[name])
    if asked.query:
        found = or_(LakePass.error.icontains(asked.query, autoescape=True),
                    LakePass.step.icontains(asked.query, autoescape=True))  # fmt: skip
        number = asked.query.isdecimal() and len(asked.query) <= KEY_DIGITS
        query = query.where(or_(found, LakePass.id == int(asked.query)) if number else found)
    column = {
        "started_at": LakePass.id,
        "kind": LakePass.kind,
        "state": LakePass.state,
        "took": func.coalesce(LakePass.finished_at, func.now()) - LakePass.started_at,
        "feed_rows": LakePass.feed_rows,
        "models": LakePass.models,
    }[asked.sort]
    return _page(session, query, column, LakePass.id, asked)


def owed(session: Session, asked: ListRequest) -> tuple[Sequence[Owed], int]:
    """One page of the messages that failed or wait, each with the error of its newest attempt, and how many match."""
    newest_error = (
        select(OutboxAttempt.error)
        .where(OutboxAttempt.message_id == OutboxMessage.id)
        .order_by(OutboxAttempt.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    states = [asked.filters["status"]] if asked.filters.get("status") in OWED_STATES else OWED_STATES
    query = select(OutboxMessage).where(OutboxMessage.status.in_(states))
    if asked.query:
        query = query.where(
            or_(*(text_of.icontains(asked.query, autoescape=True)
                  for text_of in (OutboxMessage.topic, OutboxMessage.partner, newest_error)))
        )  # fmt: skip
    column = {
        "status": OutboxMessage.status,
        "created_at": OutboxMessage.created_at,
        "topic": OutboxMessage.topic,
        "partner": OutboxMessage.partner,
        "attempts": OutboxMessage.attempts,
    }[asked.sort]
    rows, total = _page(session, query, column, OutboxMessage.id, asked)
    found = select(OutboxMessage.id, newest_error).where(OutboxMessage.id.in_([row.id for row in rows]))
    errors = {row[0]: row[1] for row in session.execute(found)}
    return [
        Owed(row.id, row.topic, row.partner, row.status, row.created_at, row.attempts, errors.get(row.id))
        for row in rows
    ], total


def _page(session: Session, query: Select[Any], column: Any, key: Any, asked: ListRequest) -> tuple[Sequence[Any], int]:
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = (column.desc(), key.desc()) if asked.descending else (column, key)
    return session.scalars(query.order_by(*order).offset(asked.offset).limit(asked.size)).all(), total


def history(session: Session, since: datetime) -> Sequence[LakeHistory]:
    return session.scalars(select(LakeHistory).where(LakeHistory.at >= since).order_by(LakeHistory.at)).all()


def partitions(session: Session) -> Sequence[Partition]:
    """The months of the feed with their size, and those that were dropped; the newest first."""
    sizes = session.execute(
        text(
            "select to_date(right(c.relname, 7), 'YYYY_MM'), pg_total_relation_size(c.oid) from pg_class as c"
            " join pg_inherits as i on i.inhrelid = c.oid and i.inhparent = 'change_feed'::regclass"
            " where c.relname ~ '^change_feed_[0-9]{4}_[0-9]{2}$'"
        )
    )
    there = {row[0]: int(row[1]) for row in sizes}
    known = {row.month: row for row in session.scalars(select(FeedMonth))}
    lines = []
    for month in sorted(there.keys() | known.keys(), reverse=True):
        row = known.get(month)
        lines.append(
            Partition(
                month,
                there.get(month, 0),
                row.entries if row else None,
                row.verified_at if row else None,
                row.dropped_at if row else None,
            )
        )
    return lines


def gates(session: Session) -> Sequence[GateLook]:
    """The newest look of each gate."""
    newest_of_each = select(func.max(GateLook.id)).group_by(GateLook.gate).scalar_subquery()
    return session.scalars(select(GateLook).where(GateLook.id.in_(newest_of_each)).order_by(GateLook.gate)).all()


def devices(session: Session, now: datetime) -> Sequence[DeviceLine]:
    """The devices of the reader's organisations, by what they delivered: messages of HL7, studies of DICOM."""
    day = now - timedelta(days=1)
    found: dict[int, list[Any]] = {}
    messages = session.execute(
        select(
            DeviceMessage.device_id,
            func.count().filter(DeviceMessage.protocol == "hl7v2"),
            func.count().filter(DeviceMessage.protocol == "hl7v2", DeviceMessage.received_at >= day),
            func.count().filter(DeviceMessage.status == "unmatched"),
            func.count().filter(DeviceMessage.status == "quarantined"),
            func.max(DeviceMessage.received_at),
        )
        .where(DeviceMessage.device_id.is_not(None))
        .group_by(DeviceMessage.device_id)
    )
    studies = session.execute(
        select(
            ImagingStudy.device_id,
            func.count(),
            func.count().filter(ImagingStudy.received_at >= day),
            func.count().filter(ImagingStudy.patient_id.is_(None), ImagingStudy.voided_at.is_(None)),
            text("0"),
            func.max(ImagingStudy.received_at),
        )
        .where(ImagingStudy.device_id.is_not(None))
        .group_by(ImagingStudy.device_id)
    )
    for key, *counts, last_at in [*messages, *studies]:
        line = found.setdefault(key, [0, 0, 0, 0, None])
        line[:4] = [int(old) + int(new) for old, new in zip(line[:4], counts, strict=True)]
        line[4] = max((at for at in (line[4], last_at) if at is not None), default=None)
    rows = session.scalars(select(Device).where(or_(Device.active, Device.id.in_(found.keys()))).order_by(Device.code))
    return [
        DeviceLine(row.id, row.code, row.protocol, row.active, *found.get(row.id, [0, 0, 0, 0, None])) for row in rows
    ]


def unknown_quarantine(session: Session) -> int:
    """Messages in quarantine that no known device sent."""
    query = select(func.count()).select_from(DeviceMessage)
    found = session.scalar(query.where(DeviceMessage.device_id.is_(None), DeviceMessage.status == "quarantined"))
    return int(found or 0)


def backups(session: Session, limit: int) -> Sequence[BackupRun]:
    """The newest runs first."""
    return session.scalars(select(BackupRun).order_by(BackupRun.id.desc()).limit(limit)).all()


def last_backup(session: Session, *kinds: str) -> datetime | None:
    """When a run of one of the kinds last ended well."""
    query = select(func.max(BackupRun.finished_at)).where(BackupRun.kind.in_(kinds), BackupRun.state == "done")
    return session.scalar(query)


def newest_backup(session: Session, kind: str) -> BackupRun | None:
    """The newest run of the kind that has ended."""
    query = select(BackupRun).where(BackupRun.kind == kind, BackupRun.state != "running")
    return session.scalar(query.order_by(BackupRun.id.desc()).limit(1))
