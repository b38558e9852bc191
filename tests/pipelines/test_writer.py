"""The writer: answers requests, retries, maintains; and the settings that DuckLake needs."""

from __future__ import annotations

import shutil
import threading
from datetime import timedelta
from typing import Any

import pytest
import yaml

from kmis import lake
from kmis.postgres import admin_connection
from pipelines.lib import maintenance, passes, writer
from pipelines.lib.dbt_runner import PROJECT as DBT_PROJECT
from pipelines.lib.errors import EngineLost
from pipelines.lib.passes import Passes
from pipelines.lib.project import Project
from pipelines.lib.readers import open_reader
from pipelines.lib.workshop import Workshop
from pipelines.lib.writer import Writer
from tests.pipelines.conftest import Installation, rows

FIGURES = "select sum(visits) from lake.marts.agg_visit_day"


class Heard:
    """Keeps what was reported."""

    def __init__(self) -> None:
        self.results: list[Any] = []

    def report(self, result: Any) -> None:
        self.results.append(result)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def at_work(workshop: Workshop, project: Project, heard: Heard) -> Writer:
    return Writer(workshop, project, heard)


def request(installation: Installation, kind: str) -> None:
    installation.change("insert into pass_request (kind, requested_by) values (%s, 'test')", kind)


def test_a_change_is_taken_without_being_asked_for(
    installation: Installation, workshop: Workshop, at_work: Writer, heard: Heard
) -> None:
    installation.visit()
    at_work.step()
    installation.visit(days=1)
    at_work.step()
    assert rows(workshop, FIGURES) == [(2,)]
    assert len(heard.results) == 2


def test_requests_are_answered_with_their_pass(installation: Installation, workshop: Workshop, at_work: Writer) -> None:
    installation.visit()
    for kind in ("refresh", "rebuild", "maintenance"):
        request(installation, kind)
        at_work.step()
        state = "select state from pass_request order by id desc limit 1"
        assert installation.value(state) == "done", kind
    kinds = "select string_agg(kind, ',' order by id) from lake_pass where state in ('published', 'done')"
    assert installation.value(kinds) == "refresh,rebuild,maintenance"
    assert rows(workshop, FIGURES) == [(1,)]


def test_a_failure_is_recorded_and_tried_again_later(
    installation: Installation, workshop: Workshop, at_work: Writer
) -> None:
    bad = installation.visit(complaints="FAIL")
    at_work.step()
    assert installation.value("select state from lake_pass order by id desc limit 1") == "failed"
    at_work.step()
    assert installation.value("select count(*) from lake_pass") == 1, "it waits before it tries again"
    installation.change("update encounter set complaints = null where id = %s", bad)
    request(installation, "refresh")
    at_work.step()
    assert rows(workshop, FIGURES) == [(1,)]


def test_a_request_taken_by_a_writer_that_died_is_answered(
    installation: Installation, workshop: Workshop, at_work: Writer
) -> None:
    request(installation, "refresh")
    installation.change("update pass_request set state = 'running'")
    stop = threading.Event()
    stop.set()
    at_work.run(stop)
    at_work.step()
    assert installation.value("select state from pass_request") == "done"


def test_the_figures_are_reconciled_when_nothing_else_waits(
    installation: Installation, at_work: Writer, heard: Heard
) -> None:
    installation.visit()
    at_work.step()
    at_work.step()
    reconciler = at_work._reconciler
    assert reconciler is not None
    reconciler.join()
    assert [type(result).__name__ for result in heard.results] == ["PassResult", "Reconciled"]
    assert installation.value("select state from published order by id desc limit 1") == "ok"


def test_a_transaction_that_holds_the_watermark_back_raises_an_alarm(
    installation: Installation, at_work: Writer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    installation.visit()
    at_work.step()
    monkeypatch.setattr(writer, "STALE_SECONDS", 0.0)
    with installation.connect() as slow:
        row = slow.execute("select pg_backend_pid(), pg_current_xact_id()").fetchone()
        at_work.step()
        at_work.step()
    assert f"by session {row[0] if row else None}" in caplog.text
    assert caplog.text.count("held back") == 1


def test_the_alarm_stands_through_upkeep_and_reconciliation(
    installation: Installation, at_work: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = "select state from published order by id desc limit 1"
    installation.visit()
    at_work.step()
    monkeypatch.setattr(writer, "STALE_SECONDS", 0.0)
    with installation.connect() as slow:
        slow.execute("select pg_current_xact_id()")
        at_work.step()
        at_work.step()
        assert installation.value(newest) == "stale"
        installation.change("update published set state = 'ok'")  # as a reconciliation that began before
        at_work.step()
        assert installation.value(newest) == "stale"


def test_upkeep_that_fails_on_a_full_disk_keeps_no_figures_back(
    installation: Installation, workshop: Workshop, at_work: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    at_work.step()
    monkeypatch.setattr(maintenance, "expire", fails)
    monkeypatch.setattr(writer, "TIGHT_UPKEEP_SECONDS", 0.0)
    monkeypatch.setattr(at_work.keeper, "tell_when_due", lambda *_: None)
    at_work.keeper.level = "warning"
    at_work.step()
    newest = "select kind || ' ' || state from lake_pass order by id desc limit 1"
    assert installation.value(newest) == "maintenance failed"
    for _ in range(3):
        at_work.step()
    assert installation.value("select count(*) from lake_pass where kind = 'maintenance'") == 1, "it waits"
    at_work._retry_at = 0.0
    monkeypatch.setattr(writer, "TIGHT_UPKEEP_SECONDS", 3600.0)
    installation.visit()
    at_work.step()
    assert rows(workshop, FIGURES) == [(1,)]


def test_maintenance_keeps_figures_and_pinned_snapshots(
    installation: Installation, workshop: Workshop, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for day in range(6):
        installation.visit(days=day)
        # so that files, and rows that lie in the catalogue until they are flushed, stand side by side
        workshop.lake.execute(f"call lake.set_option('data_inlining_row_limit', {(0, 200)[day % 2]})")
        results.append(passes.refresh())
    snapshots = [result.publication.snapshot_id for result in results if result]
    pinned = snapshots[1]
    installation.change("insert into snapshot_pin (snapshot_id, reason) values (%s, 'unload')", pinned)
    before = rows(workshop, FIGURES)
    for number, visit in enumerate(installation.visits[:4]):
        how = (maintenance.IN_PASSING, maintenance.THOROUGH)[number % 2]
        workshop.lake.execute(f"call lake.set_option('data_inlining_row_limit', {(200, 0)[number // 2]})")
        tables = rows(workshop, "select schema_name, table_name from duckdb_tables() where database_name = 'lake'")
        assert all(maintenance.compact_table(workshop, (schema, name), how) for schema, name in tables)
        installation.change("update encounter set complaints = 'none' where id = %s", visit)
        passes.refresh()
    snapshots.append(lake.current_snapshot(workshop.lake))
    newest = snapshots[-1]
    monkeypatch.setattr(maintenance, "KEPT_FOR", timedelta(seconds=-60))
    upkeep = maintenance.expire(workshop)
    assert upkeep.expired > 0
    assert rows(workshop, FIGURES) == before == [(6,)]
    known = {row[0] for row in rows(workshop, "select snapshot_id from ducklake_snapshots('lake')")}
    assert {pinned, newest} <= known and snapshots[0] not in known
    for snapshot, visits in ((pinned, 2), (newest, 6)):
        with open_reader(installation.settings, snapshot) as reader:
            assert reader.connection.execute(FIGURES).fetchone() == (visits,)


def test_dbt_uses_one_thread() -> None:
    profile = yaml.safe_load((DBT_PROJECT / "profiles.yml").read_text())
    assert [output["threads"] for output in profile["kmis"]["outputs"].values()] == [1]


def test_a_table_is_compacted_when_enough_passes_have_written_to_it(
    installation: Installation, workshop: Workshop, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few tables at a time, before the pass is published; what is in them stays."""
    monkeypatch.setattr(maintenance, "PASSES", 2)
    written = "select coalesce(max(file_count), 0) from ducklake_table_info('lake') where table_name = 'watermark'"
    for day in range(3):
        assert rows(workshop, written) == [(min(day // 2, 1),)], "small rows lie in the catalogue until then"
        installation.visit(days=day)
        result = passes.refresh()
        assert result and result.publication.snapshot_id == lake.current_snapshot(workshop.lake)
    assert 0 < passes.wear.most <= 3
    passes.compact()
    assert passes.wear.most == 0
    assert passes.refresh() is not None, "compacting made a snapshot, which is published"
    assert rows(workshop, FIGURES) == [(3,)]


@pytest.mark.parametrize("inside", [False, True], ids=["between passes", "in a pass"])
def test_a_writer_whose_sessions_with_the_catalogue_end_goes_on(
    installation: Installation, workshop: Workshop, at_work: Writer, inside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the server's administrator ends them, or the server is started anew under a writer that holds on."""
    installation.visit()
    at_work.step()

    def end_sessions(*_: object) -> None:
        with admin_connection(installation.settings, installation.settings.database) as admin:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where usename = 'kmis_lake' and datname = current_database()"
            )

    installation.visit(days=1)
    if inside:
        with monkeypatch.context() as patched:
            patched.setattr(passes, "sync_files", end_sessions)
            at_work.step()
    else:
        end_sessions()
    for _ in range(3):
        at_work._retry_at = 0.0
        at_work.step()
    assert rows(workshop, FIGURES) == [(2,)]


def test_a_writer_whose_engine_answers_no_more_ends(
    installation: Installation, at_work: Writer, workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    """It would fail for ever; the supervisor starts another."""
    installation.visit()
    workshop.lake.close()
    with pytest.raises(EngineLost):
        at_work.step()
    assert installation.value("select state from lake_pass order by id desc limit 1") == "failed"


def test_files_that_a_killed_writer_left_are_deleted_at_night_and_no_others(
    installation: Installation, workshop: Workshop, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.visit()
    passes.refresh()
    passes.compact()
    files = set(installation.settings.lake_dir.rglob("*.parquet"))
    assert files
    left = [shutil.copy(file, file.with_name(f"left-{file.name}")) for file in files]
    maintenance.expire(workshop)
    assert all(file.exists() for file in left), "a running writer's new files are named by nobody either"
    monkeypatch.setattr(maintenance, "KEPT_FOR", timedelta(seconds=-60))
    maintenance.expire(workshop)
    assert not any(file.exists() for file in left)
    assert rows(workshop, FIGURES) == [(1,)]
    assert rows(workshop, "select sum(1) from lake.bronze.change")[0][0] > 0
