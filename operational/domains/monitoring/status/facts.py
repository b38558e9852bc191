"""What is known of the installation at one moment, gathered once for page, findings and API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from operational.domains.monitoring.status import repository
from operational.domains.monitoring.status.repository import DeviceLine, Holder, Outbox, Partition, Waiting
from operational.kit.models import BackupRun, GateLook, LakeHistory, LakePass, PassRequest, Published

PASSES = 50
BACKUPS = 10
TREND = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes by part when the disk was last measured, what the budget allows, and growth a day (None: not known)."""

    measured_at: datetime | None
    parts: Mapping[str, int]
    used: int
    limit: int
    free: int
    share: float
    level: str
    growth: float | None
    growth_of: Mapping[str, float]

    @property
    def days_left(self) -> float | None:
        """Days until the budget is used up at the growth of the last days; None: it does not grow."""
        if not self.growth or self.growth <= 0:
            return None
        return max(0.0, (min(self.limit, self.used + self.free) - self.used) / self.growth)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the state of the installation is judged by."""

    now: datetime
    keep_months: int
    told_at: datetime | None
    state: Mapping[str, Any]
    newest: Published | None
    installed_at: datetime | None
    waiting: Waiting
    holder: Holder | None
    passes: Sequence[LakePass]
    last_figures: LakePass | None
    last_maintenance: LakePass | None
    last_verification: LakePass | None
    last_good: Mapping[str, datetime]
    failing_since: datetime | None
    requests: Sequence[PassRequest]
    outbox: Outbox
    disk: Disk
    partitions: Sequence[Partition]
    gates: Sequence[GateLook]
    devices: Sequence[DeviceLine]
    unknown_quarantine: int
    backups: Sequence[BackupRun]
    last_backup_at: datetime | None
    last_tested_at: datetime | None
    last_backup: BackupRun | None
    last_test: BackupRun | None

    @property
    def reconciliation(self) -> Mapping[str, Any]:
        """The last known reconciliation, empty before the first."""
        return (self.newest.reconciliation if self.newest else None) or {}

    @property
    def reconciled_at(self) -> datetime | None:
        return moment(self.reconciliation.get("checked_at"))

    @property
    def still_failing(self) -> bool:
        """Whether the newest pass failed and the writer has not said since that all is well again.

        A pass that then finds nothing to do leaves no row.
        """
        last = self.last_figures
        if last is None or last.state != "failed":
            return False
        told_since = self.told_at is not None and last.finished_at is not None and self.told_at > last.finished_at
        return not told_since or bool((self.state.get("writer") or {}).get("failures"))

    def seconds_since(self, at: datetime | None) -> float | None:
        return None if at is None else max(0.0, (self.now - at).total_seconds())


def moment(value: object) -> datetime | None:
    """A moment out of JSON."""
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def gather(session: Session, now: datetime, keep_months: int) -> Facts:
    """Reads everything in the session's transaction."""
    row = repository.state(session)
    state: Mapping[str, Any] = row.state if row else {}
    return Facts(
        now=now,
        keep_months=keep_months,
        told_at=row.written_at if row else None,
        state=state,
        newest=repository.newest(session),
        installed_at=repository.first_published_at(session),
        waiting=repository.waiting(session),
        holder=repository.holder(session),
        passes=repository.passes(session, PASSES),
        last_figures=repository.newest_pass(session, repository.FIGURES),
        last_maintenance=repository.newest_pass(session, ("maintenance",)),
        last_verification=repository.newest_pass(session, ("verification",)),
        last_good=repository.last_good(session),
        failing_since=repository.failing_since(session),
        requests=repository.requests(session),
        outbox=repository.outbox(session),
        disk=disk_of(state, repository.history(session, now - TREND)),
        partitions=repository.partitions(session),
        gates=repository.gates(session),
        devices=repository.devices(session, now),
        unknown_quarantine=repository.unknown_quarantine(session),
        backups=repository.backups(session, BACKUPS),
        last_backup_at=repository.last_backup(session, "backup"),
        last_tested_at=repository.last_backup(session, "restore_test", "restore"),
        last_backup=repository.newest_backup(session, "backup"),
        last_test=repository.newest_backup(session, "restore_test"),
    )


def disk_of(state: Mapping[str, Any], history: Sequence[LakeHistory]) -> Disk:
    """The disk as the writer measured it; growth since the first of the given hours, an hour ago at least."""
    disk = state.get("disk") or {}
    parts: Mapping[str, int] = disk.get("parts") or {}
    measured_at = moment(disk.get("at"))
    growth: float | None = None
    growth_of: dict[str, float] = {}
    if measured_at and history:
        days = (measured_at - history[0].at).total_seconds() / 86400
        if days >= 1 / 24:
            growth_of = {part: (size - int(history[0].parts.get(part, 0))) / days for part, size in parts.items()}
            growth = sum(growth_of.values())
    return Disk(
        measured_at, parts, int(disk.get("used", 0)), int(disk.get("limit", 0)), int(disk.get("free", 0)),
        float(disk.get("share", 0)), str(disk.get("level", "normal")), growth, growth_of,
    )  # fmt: skip
