"""What the writer tells about itself, and what the storage budget makes it do."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from kmis import serving
from pipelines.lib import lake_state, storage
from pipelines.lib.lake_state import Keeper
from pipelines.lib.passes import Passes
from pipelines.lib.project import Project
from pipelines.lib.publish import KEPT_FILES
from pipelines.lib.storage import Budget
from pipelines.lib.workshop import Workshop
from pipelines.lib.writer import Writer
from tests.pipelines.conftest import Installation, rows

FIGURES = "select sum(visits) from lake.marts.agg_visit_day"


class Deaf:
    """Reports to nobody."""

    def report(self, result: Any) -> None:
        """Takes a result."""


@pytest.fixture
def at_work(workshop: Workshop, project: Project) -> Writer:
    return Writer(workshop, project, Deaf())


def stored(installation: Installation) -> dict[str, Any]:
    state = installation.value("select state from lake_state")
    assert isinstance(state, dict)
    return state


def source(state: dict[str, Any], table: str) -> dict[str, Any]:
    return next(found for found in state["sources"] if found["table"] == table)


@pytest.mark.parametrize(
    ("used", "limit", "free", "level"),
    [
        (79, 100, 1000, "normal"),
        (80, 100, 1000, "warning"),
        (95, 100, 1000, "critical"),
        # The disk gives less than the budget allows: what is free counts.
        (50, 1000, 5, "warning"),
        (99, 1000, 1, "critical"),
        (50, 1000, 950, "normal"),
    ],
)
def test_levels_of_the_budget(used: int, limit: int, free: int, level: str) -> None:
    assert Budget(used, limit, free).level == level


def test_the_disk_is_measured_part_by_part(installation: Installation) -> None:
    home = installation.settings.root
    before = storage.measure(installation.settings)
    for place in ("exports/a/file", "dicom/1/object", "elsewhere/file"):
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        (home / place).write_bytes(b"x" * 10_000)
    after = storage.measure(installation.settings)
    grown = {name for name in after if after[name] > before[name]}
    assert grown == {"exports", "dicom", "other"}
    assert after["exports"] - before["exports"] >= 10_000
    limited = installation.settings.model_copy(update={"storage_budget_gb": 0.000001})
    assert storage.budget_of(limited, after).level == "critical"
    assert storage.budget_of(installation.settings, {"lake": 1}).limit > 1_000_000_000


def test_one_row_tells_tables_snapshots_sources_and_disk(
    installation: Installation, workshop: Workshop, passes: Passes
) -> None:
    installation.visit()
    result = passes.refresh()
    assert result is not None
    pinned = result.publication.snapshot_id
    installation.change("insert into snapshot_pin (snapshot_id, reason, pinned_by) values (%s, 'backup', 't')", pinned)
    passes.compact()
    installation.visit(days=1)
    passes.refresh()
    keeper = Keeper(workshop)
    for _ in range(2):
        keeper.tell(0)
    assert installation.value("select count(*) from lake_state") == 1
    assert installation.value("select count(*) from lake_history") <= 1
    state = stored(installation)
    change = next(table for table in state["tables"] if table["name"] == "change")
    assert change["rows"] == rows(workshop, "select count(*) from lake.bronze.change")[0][0]
    entries = dict(rows(workshop, "select table_name, count(*) from lake.bronze.change group by all"))
    assert {found["table"]: found["entries"] for found in state["sources"]} == entries
    assert {(kept["why"], kept["what"]) for kept in state["snapshots"]["kept"]} == {("pin", "backup"), ("newest", "")}
    assert state["snapshots"]["pages"] == 2
    assert state["watermark"]["xid"] == state["watermark"]["built_xid"]
    assert state["disk"]["parts"]["lake"] > 0


def test_entries_are_counted_once_also_after_a_restart(
    installation: Installation, workshop: Workshop, passes: Passes
) -> None:
    installation.visit()
    passes.refresh()
    Keeper(workshop).tell(0)
    installation.visit(days=1)
    passes.refresh()
    Keeper(workshop).tell(0)
    entries = rows(workshop, "select count(*) from lake.bronze.change where table_name = 'encounter'")[0][0]
    assert source(stored(installation), "encounter")["entries"] == entries
    workshop.lake.execute("delete from lake.bronze.change")
    workshop.lake.execute("update lake.bronze.watermark set batch_id = 0, feed_id = 0")
    Keeper(workshop).tell(0)
    assert stored(installation)["sources"] == []


def test_late_and_refused_entries_are_told(installation: Installation, workshop: Workshop, at_work: Writer) -> None:
    with installation.connect() as early, installation.connect() as slow:
        installation.visit(early)
        installation.visit(slow, days=1)
        installation.visit(early, days=2)
        early.commit()
        at_work.step()
        slow.commit()
    at_work.step()
    at_work.keeper.tell(0)
    assert source(stored(installation), "encounter")["late"] == 1
    installation.visit(days=3, complaints="FAIL")
    at_work.step()
    at_work.keeper.tell(0)
    assert source(stored(installation), "encounter")["refused"] == 1


def test_the_state_is_told_at_most_each_minute(installation: Installation, at_work: Writer) -> None:
    at_work.step()
    first = installation.value("select written_at from lake_state")
    at_work.step()
    assert first is not None
    assert installation.value("select written_at from lake_state") == first


def test_what_cannot_be_told_does_not_stop_a_pass(
    installation: Installation, workshop: Workshop, at_work: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lake_state, "SOURCES", "select nothing")
    installation.visit()
    at_work.step()
    assert rows(workshop, FIGURES) == [(1,)]
    assert installation.value("select count(*) from lake_state") == 0


def test_a_full_budget_stops_what_can_be_made_again_and_nothing_else(
    installation: Installation, workshop: Workshop, at_work: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    for day in range(KEPT_FILES):
        installation.visit(days=day)
        at_work.step()
    serve = installation.settings.serve_dir
    assert len(serving.snapshots(serve)) == KEPT_FILES
    workshop.settings = workshop.settings.model_copy(update={"storage_budget_gb": 0.000001})
    with caplog.at_level(logging.WARNING):
        at_work.keeper.tell(0)
    assert "of the storage budget is used" in caplog.text
    installation.change("insert into pass_request (kind, requested_by) values ('rebuild', 'test')")
    at_work.step()
    assert "storage budget" in installation.value("select error from pass_request where state = 'failed'")
    installation.visit(days=9)
    at_work._retry_at = 0.0
    at_work.step()
    assert rows(workshop, FIGURES) == [(KEPT_FILES + 1,)]
    newest = installation.value("select serve_file from published order by id desc limit 1")
    assert [f"{number}.json" for number in serving.snapshots(serve)] == [newest]


def test_a_verification_that_is_asked_for_is_made_and_recorded(installation: Installation, at_work: Writer) -> None:
    installation.visit()
    at_work.step()
    installation.change("insert into pass_request (kind, requested_by) values ('verification', 'test')")
    at_work.step()
    reader = at_work._reconciler
    assert reader is not None
    reader.join()
    told = installation.value(
        "select r.state || ' ' || p.kind || ' ' || p.state from pass_request as r"
        " join lake_pass as p on p.id = r.pass_id"
    )
    assert told == "done verification done"
    assert installation.value("select detail -> 'different' from lake_pass where kind = 'verification'") == {}
