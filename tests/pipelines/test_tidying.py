"""What grows beside the lake stays within bounds, and what is still of use stays."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg

from kmis.clock import SystemClock
from pipelines.lib import tidying
from pipelines.lib.asset_events import EVERY_SECONDS, AssetEvent, Thinned
from pipelines.lib.workshop import Workshop
from tests.pipelines.conftest import Installation

NOW = SystemClock().now()


def older(file: Path, age: timedelta) -> Path:
    """The file, last written so long ago."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x")
    at = (NOW - age).timestamp()
    os.utime(file, (at, at))
    return file


def test_old_events_without_a_run_go_and_the_newest_of_each_asset_stays(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").touch()
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        for name in ("a", "a", "a", "b"):
            instance.report_runless_asset_event(dg.AssetMaterialization(asset_key=dg.AssetKey(["marts", name])))
        for _ in range(2):
            check = dg.AssetCheckEvaluation(asset_key=dg.AssetKey(["marts", "a"]), check_name="reconciles", passed=True)
            instance.report_runless_asset_event(check)
    assert tidying.prune_events(tmp_path, NOW - timedelta(days=1)) == 0
    # Seen from tomorrow, all of them are old.
    assert tidying.prune_events(tmp_path, NOW + timedelta(days=1)) == 3
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        for name in ("a", "b"):
            event = instance.get_latest_materialization_event(dg.AssetKey(["marts", name]))
            assert event is not None and event.asset_materialization is not None
        key = dg.AssetCheckKey(dg.AssetKey(["marts", "a"]), "reconciles")
        assert len(instance.event_log_storage.get_asset_check_execution_history(key, limit=9)) == 1


def test_old_runs_of_dagster_go(tmp_path: Path) -> None:
    @dg.op
    def nothing() -> None:
        """Does nothing."""

    @dg.job
    def idle() -> None:
        nothing()

    (tmp_path / "dagster.yaml").touch()
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        run = idle.execute_in_process(instance=instance).run_id
    assert tidying.prune_runs(tmp_path, NOW - timedelta(days=1)) == 0
    assert tidying.prune_runs(tmp_path, NOW + timedelta(days=1)) == 1
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_run_by_id(run) is None


def test_long_logs_turn_over_and_their_writer_goes_on(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(tidying, "LOG_BYTES", 100)
    file = tmp_path / "api.log"
    with file.open("ab", buffering=0) as part:
        part.write(b"x" * 200)
        assert tidying.turn_over_logs(tmp_path) == 1
        part.write(b"next\n")
    assert file.read_bytes() == b"next\n"
    assert (tmp_path / "api.log.1").read_bytes() == b"x" * 200
    assert tidying.turn_over_logs(tmp_path) == 0


def test_a_night_removes_spill_files_old_looks_and_old_rows(installation: Installation, workshop: Workshop) -> None:
    root = installation.settings.root
    gone = [older(root / "tmp/query/spill.tmp", timedelta(days=2)), older(root / tidying.LOOKS[0] / "a/b.json",
            timedelta(days=40))]  # fmt: skip
    kept = [older(root / "tmp/writer/spill.tmp", timedelta(hours=2)), older(root / tidying.LOOKS[0] / "a/c.json",
            timedelta(days=4)), older(root / "quality/gx/great_expectations.yml", timedelta(days=400))]  # fmt: skip
    for days in (100, 1):
        installation.change(
            "insert into lake_pass (kind, state, finished_at) values ('refresh', 'failed', %s)",
            NOW - timedelta(days=days),
        )
    tidied = tidying.tidy(installation.settings, workshop.store, NOW)
    assert not any(file.exists() for file in gone)
    assert all(file.exists() for file in kept)
    assert (tidied.files, tidied.passes) == (2, 1)
    assert installation.value("select count(*) from lake_pass") == 1


def test_one_broken_part_does_not_keep_the_others_from_being_tidied(
    installation: Installation, workshop: Workshop
) -> None:
    broken = installation.settings.dagster_home / "history" / "runs" / "index.db"
    broken.parent.mkdir(parents=True)
    broken.write_text("no database")
    old = older(installation.settings.root / "tmp/query/x", timedelta(days=9))
    assert tidying.tidy(installation.settings, workshop.store, NOW).files == 1
    assert not old.exists()


def test_an_asset_is_reported_once_a_minute_with_its_newest_event() -> None:
    thinned = Thinned()
    for rows in (1, 2):
        thinned.put(AssetEvent(("marts", "a"), {"rows": rows}))
    assert [event.metadata["rows"] for event in thinned.due(0.0)] == [2]
    for rows in (3, 4):
        thinned.put(AssetEvent(("marts", "a"), {"rows": rows}))
    thinned.put(AssetEvent(("marts", "b"), {"rows": 9}))
    assert [event.metadata["rows"] for event in thinned.due(EVERY_SECONDS / 2)] == [9]
    assert [event.metadata["rows"] for event in thinned.due(EVERY_SECONDS)] == [4]
    thinned.put(AssetEvent(("marts", "a"), {"rows": 5}))
    assert [event.metadata["rows"] for event in thinned.due(EVERY_SECONDS + 1, everything=True)] == [5]


def test_the_writer_may_not_delete_records_of_the_store(workshop: Workshop) -> None:
    for table in ("patient", "change_feed", "published", "audit_event"):
        try:
            workshop.store.execute(f"delete from {table}")
        except psycopg.errors.InsufficientPrivilege:
            continue
        raise AssertionError(table)
