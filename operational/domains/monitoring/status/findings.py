"""What is wrong or will be, out of the facts: each with its severity, since when, and the runbook's section.

A finding's text is ``status.finding.<code>`` and what to do is ``status.do.<code>``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from kmis.backup.journal import TOO_OLD
from operational.domains.monitoring.status.facts import Facts

Severity = Literal["critical", "warning", "info"]
ORDER: Sequence[Severity] = ("critical", "warning", "info")
WRITER_SILENT = timedelta(minutes=3)
LONG_PASS = timedelta(minutes=30)
HELD = timedelta(seconds=60)
FIGURES_OLD = timedelta(minutes=2)
NIGHTLY = timedelta(hours=36)
RECONCILED = timedelta(hours=2)
RESTORE_TESTED = timedelta(days=35)
OUTBOX_OLD = timedelta(minutes=15)
REQUEST_OLD = timedelta(minutes=10)
DEVICE_SILENT = timedelta(days=3)
DAYS_LEFT = 14


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know. ``params`` fill the texts; ``section`` is a heading of docs/runbook.md."""

    severity: Severity
    code: str
    section: str
    since: datetime | None = None
    params: dict[str, object] = field(default_factory=dict)
    url: str | None = None


def findings_of(facts: Facts) -> list[Finding]:
    """All findings, the worst first, among equals the oldest."""
    found = [
        *_writer(facts), *_figures(facts), *_night(facts), *_backups(facts), *_disk(facts), *_sources(facts),
        *_outbox(facts),
    ]  # fmt: skip
    return sorted(found, key=lambda finding: (ORDER.index(finding.severity), finding.since or facts.now))


def overall(findings: Sequence[Finding]) -> Severity | Literal["ok"]:
    """The worst severity; a hint alone does not spoil the state."""
    return next((finding.severity for finding in findings if finding.severity != "info"), "ok")


def _older(facts: Facts, at: datetime | None, limit: timedelta) -> bool:
    return _older_than(facts.now, at, limit)


def _older_than(now: datetime, at: datetime | None, limit: timedelta) -> bool:
    return at is not None and now - at > limit


def _writer(facts: Facts) -> Iterator[Finding]:
    # A long pass tells nothing meanwhile, but its row says what it does.
    at_work = any(row.state == "running" and not _older(facts, row.started_at, LONG_PASS) for row in facts.passes)
    if not at_work and (facts.told_at is None or _older(facts, facts.told_at, WRITER_SILENT)):
        yield Finding("critical", "writer_silent", "Figures are old", facts.told_at)
    held = facts.holder is not None and _older(facts, facts.holder.since, HELD)
    if held and facts.holder is not None:
        yield Finding(
            "critical", "watermark_held", "The watermark is stale", facts.holder.since,
            {"pid": facts.holder.pid, "application": facts.holder.application or facts.holder.role or "?",
             "entries": facts.waiting.entries},
        )  # fmt: skip
    elif _older(facts, facts.waiting.oldest_at, FIGURES_OLD) and not (facts.failing_since and facts.still_failing):
        stale = facts.newest is not None and facts.newest.state == "stale"
        yield Finding(
            "critical" if stale else "warning", "figures_old",
            "The watermark is stale" if stale else "Figures are old", facts.waiting.oldest_at,
            {"entries": facts.waiting.entries},
        )  # fmt: skip
    for request in facts.requests:
        if _older(facts, request.requested_at, REQUEST_OLD):
            yield Finding("warning", "request_waits", "Figures are old", request.requested_at, {"kind": request.kind})


def _figures(facts: Facts) -> Iterator[Finding]:
    last = facts.last_figures
    if last is not None and last.state == "failed" and facts.still_failing:
        yield Finding(
            "critical", "pass_failed", "A pass fails", facts.failing_since,
            {"n": last.id, "error": last.error or "?"}, f"/status/passes/{last.id}",
        )  # fmt: skip
    different = [fact["fact"] for fact in facts.reconciliation.get("facts", []) if not fact["equal"]]
    if different:
        yield Finding(
            "critical", "reconciliation_differs", "Reconciliation shows a difference", facts.reconciled_at,
            {"facts": ", ".join(different)},
        )  # fmt: skip
    elif facts.newest is not None and facts.reconciled_at is None:
        if _older(facts, facts.installed_at, RECONCILED):
            yield Finding("warning", "never_reconciled", "Reconciliation shows a difference", facts.installed_at)
    elif facts.newest is not None and _older_than(facts.newest.published_at, facts.reconciled_at, RECONCILED):
        yield Finding("warning", "reconciliation_old", "Reconciliation shows a difference", facts.reconciled_at)


def _night(facts: Facts) -> Iterator[Finding]:
    for kind, last in (("maintenance", facts.last_maintenance), ("verification", facts.last_verification)):
        url = f"/status/passes/{last.id}" if last else None
        section = "The night's work did not run"
        if last is not None and last.state == "failed":
            name = "Reconciliation shows a difference" if kind == "verification" else "A pass fails"
            yield Finding("critical" if kind == "verification" else "warning", f"{kind}_failed", name,
                          last.finished_at, {"n": last.id, "error": last.error or "?"}, url)  # fmt: skip
        elif _older(facts, facts.last_good.get(kind) or facts.installed_at, NIGHTLY):
            yield Finding("warning", f"{kind}_old", section, facts.last_good.get(kind), {}, url)
    failed = (facts.last_maintenance.detail.get("failed") or []) if facts.last_maintenance else []
    if failed and facts.last_maintenance is not None:
        yield Finding("warning", "not_compacted", "Disk fills", facts.last_maintenance.finished_at,
                      {"tables": ", ".join(failed)}, f"/status/passes/{facts.last_maintenance.id}")  # fmt: skip
    limit = (facts.now - timedelta(days=31 * (facts.keep_months + 1))).date()
    kept = [part for part in facts.partitions if part.dropped_at is None and part.month < limit]
    if kept and _older(facts, facts.installed_at, NIGHTLY):
        yield Finding("info", "month_kept", "Disk fills", None, {"n": len(kept), "month": f"{kept[-1].month:%m.%Y}"})


def _backups(facts: Facts) -> Iterator[Finding]:
    last = facts.last_backup
    if last is not None and last.state == "failed":
        yield Finding("critical", "backup_failed", "Backup", last.finished_at, {"error": last.error or "?"})
    if facts.last_backup_at is None:
        yield Finding("warning", "backup_never", "Backup", facts.installed_at)
    elif _older(facts, facts.last_backup_at, TOO_OLD):
        yield Finding("critical", "backup_old", "Backup", facts.last_backup_at)
    test = facts.last_test
    if test is not None and test.state == "failed":
        yield Finding("critical", "restore_failed", "Backup", test.finished_at, {"error": test.error or "?"})
    tested_by = facts.last_tested_at or (facts.installed_at if facts.last_backup_at else None)
    if facts.last_backup_at and (facts.last_tested_at is None or _older(facts, tested_by, RESTORE_TESTED)):
        yield Finding("warning", "restore_untested", "Backup", facts.last_tested_at)


def _disk(facts: Facts) -> Iterator[Finding]:
    disk = facts.disk
    if disk.level != "normal":
        yield Finding("critical" if disk.level == "critical" else "warning", f"budget_{disk.level}", "Disk fills",
                      disk.measured_at, {"share": round(100 * disk.share)})  # fmt: skip
    elif disk.days_left is not None and disk.days_left < DAYS_LEFT:
        yield Finding("warning", "budget_soon", "Disk fills", None, {"days": round(disk.days_left)})


def _sources(facts: Facts) -> Iterator[Finding]:
    quarantined = sum(line.quarantined for line in facts.devices) + facts.unknown_quarantine
    if quarantined:
        yield Finding("warning", "quarantine", "A device's results do not come", None, {"n": quarantined},
                      "/inbox/quarantine")  # fmt: skip
    silent = [line for line in facts.devices if line.active and _older(facts, line.last_at, DEVICE_SILENT)]
    if silent:
        yield Finding("info", "device_silent", "A device's results do not come",
                      min((line.last_at for line in silent if line.last_at), default=None),
                      {"n": len(silent), "codes": ", ".join(line.code for line in silent[:5])})  # fmt: skip
    for look in facts.gates:
        if look.broken:
            yield Finding("warning", "gate_broken", "A gate finds a broken rule", look.at,
                          {"gate": look.gate, "rules": ", ".join(look.broken)})  # fmt: skip


def _outbox(facts: Facts) -> Iterator[Finding]:
    if facts.outbox.failed:
        yield Finding("warning", "outbox_failed", "Messages wait in the outbox", None, {"n": facts.outbox.failed},
                      "/status/outbox")  # fmt: skip
    if _older(facts, facts.outbox.oldest_at, OUTBOX_OLD):
        yield Finding("warning", "outbox_old", "Messages wait in the outbox", facts.outbox.oldest_at,
                      {"n": facts.outbox.waiting}, "/status/outbox")  # fmt: skip
