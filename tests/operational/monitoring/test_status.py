"""The status page and its API: who may see it, what it finds, what can be asked for from it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from kmis.settings import Settings
from operational.domains.identity.roles import role_definitions
from operational.domains.monitoring.status import repository
from operational.domains.monitoring.status.facts import Facts, disk_of, gather
from operational.domains.monitoring.status.findings import Finding, findings_of, overall
from operational.domains.monitoring.status.repository import DeviceLine, Holder, Outbox, Partition, Waiting
from operational.domains.monitoring.status.views import age_text, bytes_text
from operational.kit.access import Scope
from operational.kit.db import KmisSession, apply_scope, engine
from operational.kit.models import BackupRun, GateLook, LakeHistory, LakePass, LakeState, PassRequest, Published
from tests.operational.stage import NOW, browser

ROOT = Path(__file__).resolve().parents[3]
STATE: dict[str, Any] = {
    "writer": {"pid": 1, "passes": 3},
    "disk": {
        "at": NOW.isoformat(), "parts": {"lake": 4_000_000, "postgres": 6_000_000}, "database": 1, "used": 10_000_000,
        "limit": 100_000_000, "free": 500_000_000, "share": 0.1, "level": "normal",
    },
    "tables": [{"schema": "bronze", "name": "change", "files": 7, "bytes": 1234, "rows": 99, "delete_files": 0,
                "deleted": 0}],
    "snapshots": {"total": 12, "oldest_at": NOW.isoformat(), "newest": 12, "files_to_delete": 3, "pages": 2,
                  "kept": [{"snapshot": 5, "why": "pin", "what": "backup", "who": "night", "since": NOW.isoformat()},
                           {"snapshot": 9, "why": "unload", "what": "XLS-02", "who": "41", "since": NOW.isoformat()},
                           {"snapshot": 12, "why": "newest", "what": "", "who": "", "since": NOW.isoformat()}]},
    "watermark": {"xid": 700, "epoch": 1, "event_at": NOW.isoformat(), "built_xid": 690, "built_at": None},
    "sources": [{"table": "encounter", "entries": 4321, "late": 2, "refused": 1, "last_at": NOW.isoformat()}],
}  # fmt: skip


def as_role(scope: Scope, role: str) -> Scope:
    """The same user with what one role may."""
    return replace(scope, permissions=frozenset(role_definitions()[role].permissions))


@pytest.fixture
def owned(settings: Settings, scope: Scope) -> Iterator[Session]:
    """A session of the schema's owner, who may write what the writer and the backup write; rolled back."""
    with engine(settings, "kmis_owner").connect() as connection:
        outer = connection.begin()
        maker = sessionmaker(
            connection, class_=KmisSession, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )
        session = maker()
        apply_scope(session, scope)
        for table in ("pass_request", "lake_pass", "backup_run", "lake_state", "lake_history", "gate_look"):
            session.execute(text(f"delete from {table}"))
        try:
            yield session
        finally:
            session.close()
            outer.rollback()


@pytest.fixture
def engineer(settings: Settings, scope: Scope, owned: Session) -> TestClient:
    return browser(settings, as_role(scope, "data_engineer"), owned)


@pytest.fixture
def healthy(owned: Session) -> Facts:
    """An installation in which nothing is to be done."""
    epoch: int = owned.execute(text("select max(id) from feed_epoch")).scalar_one()
    newest = Published(
        id=1, snapshot_id=12, epoch_id=epoch, watermark_xid=1, published_at=NOW, duration_ms=5, state="ok",
        reconciliation={"state": "ok", "checked_at": NOW.isoformat(), "facts": []},
    )  # fmt: skip
    return replace(
        gather(owned, NOW, 13),
        told_at=NOW,
        newest=newest,
        installed_at=NOW - timedelta(days=90),
        waiting=Waiting(0, None),
        holder=None,
        last_good={"refresh": NOW, "maintenance": NOW, "verification": NOW},
        outbox=Outbox(0, 0, None),
        partitions=[],
        devices=[],
        unknown_quarantine=0,
        last_backup_at=NOW,
        last_tested_at=NOW,
    )


def codes(facts: Facts) -> list[str]:
    return [finding.code for finding in findings_of(facts)]


@pytest.mark.parametrize(("role", "status"), [("data_engineer", 200), ("administrator", 200), ("doctor", 403)])
def test_who_may_see_it(settings: Settings, scope: Scope, session: Session, role: str, status: int) -> None:
    """As kmis_app: the page needs no right that screens do not have."""
    client = browser(settings, as_role(scope, role), session)
    for address in ("/status", "/api/status", "/status/passes", "/status/outbox"):
        assert client.get(address).status_code == status, address
    assert client.post("/status/ask", data={"kind": "refresh"}).status_code == (303 if status == 200 else 403)
    shown = client.get("/account").text
    assert ('href="/status"' in shown) == (status == 200)


@pytest.mark.parametrize(
    ("language", "words"),
    [("ru", ("Состояние системы", "Источники", "Хранимые снимки", "закреплён: backup", "МБ")),
     ("kk", ("Жүйе күйі", "Дереккөздер", "Сақталған түсірілімдер", "бекітілген: backup", "МБ"))],
)  # fmt: skip
def test_the_page_shows_what_the_writer_told(
    settings: Settings, scope: Scope, owned: Session, language: str, words: tuple[str, ...]
) -> None:
    owned.add(LakeState(written_at=NOW, state=STATE))
    owned.add(LakePass(kind="refresh", state="failed", started_at=NOW, finished_at=NOW, error="check visits: 3 rows"))
    owned.add(BackupRun(kind="backup", state="done", started_at=NOW, finished_at=NOW, repository="/srv/copies"))
    owned.flush()
    client = browser(settings, as_role(scope, "data_engineer"), owned, language=language)
    page = client.get("/status").text
    for word in (*words, "4\u202f321", "encounter", "bronze.change", "check visits: 3 rows", "/srv/copies", "XLS-02"):
        assert word in page, word
    assert "⟦" not in page
    fragment = client.get("/status", headers={"HX-Request": "true"}).text
    assert fragment.lstrip().startswith('<div id="status"')


def test_a_pass_opens_into_its_steps_and_models(engineer: TestClient, owned: Session) -> None:
    row = LakePass(
        kind="refresh", state="published", started_at=NOW, finished_at=NOW, feed_rows=8, models=1, snapshot_id=4,
        detail={"seconds": {"load": 0.25, "models": 1.5}, "models": {"fct_visit": 17}, "warnings": ["late rows"]},
    )  # fmt: skip
    owned.add(row)
    owned.flush()
    page = engineer.get(f"/status/passes/{row.id}").text
    for word in ("load", "0,250", "fct_visit", "17", "late rows"):
        assert word in page, word
    assert engineer.get("/status/passes/999999999").status_code == 404


def test_what_is_owed_is_listed_without_its_content(engineer: TestClient, owned: Session) -> None:
    owned.execute(
        text(
            "insert into outbox_message (topic, partner, payload, status, attempts)"
            " values ('visit.signed', 'station', '{\"iin\": \"880101300123\"}', 'failed', 3)"
        )
    )
    page = engineer.get("/status/outbox").text
    assert "visit.signed" in page and "880101300123" not in page
    assert "outbox_failed" in [finding["code"] for finding in engineer.get("/api/status").json()["findings"]]


def numbers(page: str, kind: str) -> list[int]:
    """The numbers of the passes that a page lists."""
    return [int(found) for found in re.findall(rf'href="/{kind}/(\d+)"', page)]


def test_all_passes_are_searched_filtered_sorted_and_paged(engineer: TestClient, owned: Session) -> None:
    owned.execute(text("delete from lake_pass"))
    rows = [
        LakePass(
            kind="maintenance" if n == 7 else "refresh", state="failed" if n % 10 == 3 else "published", models=100 - n,
            started_at=NOW + timedelta(minutes=n), finished_at=NOW + timedelta(minutes=n, seconds=n),
            error="disk 100% full" if n == 13 else None, detail={},
        )
        for n in range(30)
    ]  # fmt: skip
    owned.add_all(rows)
    owned.flush()
    keys = [row.id for row in rows]

    def listed(**asked: str) -> list[int]:
        return numbers(engineer.post("/status/passes", data=asked).text, "status/passes")

    assert numbers(engineer.get("/status/passes").text, "status/passes") == keys[:4:-1]
    assert listed(page="2", sort="started_at:desc") == keys[4::-1]
    assert listed(sort="models") == keys[:4:-1]
    assert listed(sort="took:desc")[0] == keys[29]
    assert listed(kind="maintenance") == [keys[7]]
    assert listed(state="failed") == [keys[23], keys[13], keys[3]]
    assert listed(q="100% f") == [keys[13]]
    assert keys[21] in listed(q=str(keys[21]))
    assert listed(q="%") == [keys[13]], "what is searched for is no pattern"
    assert listed(q="nowhere") == listed(q="9" * 40) == []


def test_owed_messages_are_searched_and_filtered(engineer: TestClient, owned: Session) -> None:
    owned.execute(text("delete from outbox_attempt; delete from outbox_message"))
    owned.execute(
        text(
            "insert into outbox_message (topic, partner, payload, status, attempts)"
            " select 'topic.' || n, 'station', '{}', case when n % 2 = 0 then 'failed' else 'waiting' end, n"
            " from generate_series(1, 30) as n"
        )
    )
    owned.execute(
        text(
            "insert into outbox_attempt (message_id, error) select id, 'refused by gate' from outbox_message"
            " where topic = 'topic.8'"
        )
    )

    def listed(**asked: str) -> list[str]:
        return re.findall(r"topic\.\d+", engineer.post("/status/outbox", data=asked).text)

    assert len(listed()) == 25 and len(listed(page="2")) == 5
    assert listed(status="waiting", sort="attempts:desc")[:2] == ["topic.29", "topic.27"]
    assert listed(q="gate") == ["topic.8"]


def test_a_request_is_entered_once_and_audited(engineer: TestClient, owned: Session) -> None:
    assert engineer.post("/status/ask", data={"kind": "maintenance"}).status_code == 303
    assert engineer.post("/status/ask", data={"kind": "maintenance"}).status_code == 409
    assert engineer.post("/api/status/requests", json={"kind": "verification"}).status_code == 202
    assert engineer.post("/status/ask", data={"kind": "rebuild"}).status_code in (400, 422)
    kinds = [row.kind for row in repository.requests(owned)]
    assert kinds == ["maintenance", "verification"]
    audited: int = owned.execute(text("select count(*) from audit_event where action = 'pass.requested'")).scalar_one()
    assert audited >= 2


def test_nothing_is_to_be_done_where_all_is_well(healthy: Facts) -> None:
    assert codes(healthy) == []
    assert overall(findings_of(healthy)) == "ok"


def test_a_session_that_holds_the_watermark_is_named(settings: Settings, owned: Session, healthy: Facts) -> None:
    with psycopg.connect(settings.dsn("kmis_app"), application_name="a long report") as slow:
        pid = slow.execute("select pg_backend_pid(), pg_current_xact_id()").fetchone()
        found = repository.holder(owned)
    assert pid is not None and found is not None
    assert (found.pid, found.application, found.role) == (pid[0], "a long report", "kmis_app")
    assert found.since is not None
    for age, expected in ((timedelta(seconds=10), []), (timedelta(minutes=5), ["watermark_held"])):
        held = Holder(found.pid, found.application, found.role, "", NOW - age, "active")
        assert codes(replace(healthy, holder=held, waiting=Waiting(8, NOW - age))) == expected


def failed(kind: str) -> LakePass:
    return LakePass(id=7, kind=kind, state="failed", started_at=NOW, finished_at=NOW, error="why", detail={})


@pytest.mark.parametrize(
    ("change", "code", "severity"),
    [
        ({"told_at": None}, "writer_silent", "critical"),
        ({"told_at": NOW - timedelta(minutes=5)}, "writer_silent", "critical"),
        ({"waiting": Waiting(5, NOW - timedelta(minutes=5))}, "figures_old", "warning"),
        ({"last_figures": failed("refresh"), "failing_since": NOW}, "pass_failed", "critical"),
        ({"last_maintenance": failed("maintenance")}, "maintenance_failed", "warning"),
        ({"last_verification": failed("verification")}, "verification_failed", "critical"),
        ({"last_good": {"maintenance": NOW}}, "verification_old", "warning"),
        ({"last_good": {"verification": NOW - timedelta(days=2), "maintenance": NOW}}, "verification_old", "warning"),
        ({"last_backup_at": None}, "backup_never", "warning"),
        ({"last_backup_at": NOW - timedelta(days=3)}, "backup_old", "critical"),
        ({"last_tested_at": None}, "restore_untested", "warning"),
        ({"last_tested_at": NOW - timedelta(days=60)}, "restore_untested", "warning"),
        ({"last_backup": BackupRun(kind="backup", state="failed", finished_at=NOW, error="no room", repository="/c")},
         "backup_failed", "critical"),
        ({"last_test": BackupRun(kind="restore_test", state="failed", finished_at=NOW, error="damaged",
                                 repository="/c")}, "restore_failed", "critical"),
        ({"outbox": Outbox(3, 0, NOW - timedelta(hours=1))}, "outbox_old", "warning"),
        ({"outbox": Outbox(0, 2, None)}, "outbox_failed", "warning"),
        ({"unknown_quarantine": 1}, "quarantine", "warning"),
        ({"devices": [DeviceLine(1, "CT-1", "dicom", True, 9, 0, 0, 0, NOW - timedelta(days=9))]},
         "device_silent", "info"),
        ({"gates": [GateLook(gate="feed", at=NOW, entries=5, rules=3, broken=["key_known"])]},
         "gate_broken", "warning"),
        ({"requests": [PassRequest(id=1, kind="refresh", requested_at=NOW - timedelta(hours=1), state="waiting")]},
         "request_waits", "warning"),
        ({"partitions": [Partition(datetime(2024, 1, 1, tzinfo=UTC).date(), 1, 1, None, None)]}, "month_kept", "info"),
    ],
)  # fmt: skip
def test_each_trouble_has_its_finding(healthy: Facts, change: dict[str, Any], code: str, severity: str) -> None:
    found: list[Finding] = findings_of(replace(healthy, **change))
    assert [(finding.code, finding.severity) for finding in found] == [(code, severity)]
    assert overall(found) == ("ok" if severity == "info" else severity)


def test_every_section_that_a_finding_names_stands_in_the_runbook() -> None:
    headings = set(re.findall(r"^### (.+)$", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.M))
    source = (ROOT / "operational/domains/monitoring/status/findings.py").read_text(encoding="utf-8")
    sections = {value.value for value in ast.walk(ast.parse(source)) if isinstance(value, ast.Constant)
                and isinstance(value.value, str) and re.fullmatch(r"[A-Z][a-z' ]{5,60}", value.value)}  # fmt: skip
    assert len(sections) >= 8
    assert sections <= headings, sections - headings


def test_a_failure_that_is_over_is_no_finding(healthy: Facts) -> None:
    """A pass with nothing to do leaves no row; the writer says that it does not fail any more."""
    told = NOW + timedelta(seconds=40)
    after: dict[str, Any] = {"last_figures": failed("refresh"), "failing_since": NOW, "told_at": told}
    assert codes(replace(healthy, **after, state={"writer": {"failures": 0}})) == []
    assert codes(replace(healthy, **after, state={"writer": {"failures": 2}})) == ["pass_failed"]


def test_a_pass_that_goes_on_is_no_silence(healthy: Facts) -> None:
    running = LakePass(id=8, kind="refresh", state="running", started_at=NOW - timedelta(minutes=9), step="models")
    assert codes(replace(healthy, told_at=None, passes=[running])) == []


def test_a_difference_found_by_reconciliation_names_its_facts(healthy: Facts) -> None:
    assert healthy.newest is not None
    healthy.newest.reconciliation = {
        "state": "different", "checked_at": NOW.isoformat(),
        "facts": [{"fact": "fct_visit", "equal": False}, {"fact": "fct_bed", "equal": True}],
    }  # fmt: skip
    found = findings_of(healthy)
    assert [(finding.code, finding.params) for finding in found] == [("reconciliation_differs", {"facts": "fct_visit"})]


def test_growth_is_told_from_the_history(healthy: Facts) -> None:
    old = LakeHistory(at=NOW - timedelta(days=2), parts={"lake": 2_000_000, "postgres": 6_000_000})
    disk = disk_of(STATE, [old])
    assert (disk.growth, disk.growth_of["lake"]) == (1_000_000, 1_000_000)
    assert disk.days_left == 90
    assert codes(replace(healthy, disk=disk)) == []
    small = {**STATE, "disk": {**STATE["disk"], "limit": 12_000_000}}
    assert codes(replace(healthy, disk=disk_of(small, [old]))) == ["budget_soon"]
    for level, severity in (("warning", "warning"), ("critical", "critical")):
        full = {**STATE, "disk": {**STATE["disk"], "level": level, "share": 0.9}}
        found = findings_of(replace(healthy, disk=disk_of(full, [])))
        assert [(finding.code, finding.severity) for finding in found] == [(f"budget_{level}", severity)]


def test_numbers_are_written_for_people() -> None:
    assert [bytes_text(value, "ru") for value in (None, 12, 1500, 2_340_000, 512_000_000_000, -1500)] == [
        "—", "12 Б", "2 КБ", "2,3 МБ", "512 ГБ", "−2 КБ",
    ]  # fmt: skip
    assert [age_text(value, "kk") for value in (None, 0.4, 119, 120, 7300, 200_000)] == [
        "—", "0 сек", "119 сек", "2 мин", "2 сағ", "2 күн",
    ]  # fmt: skip
