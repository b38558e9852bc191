"""A pass: all or nothing, re-runnable after a failure or a kill, equal to a dbt build, published once."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kmis import lake, serving
from pipelines.lib import maintenance, near
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.errors import CheckFailed, ModelFailed, WriterBusy
from pipelines.lib.passes import Passes, read_built
from pipelines.lib.project import Project
from pipelines.lib.publish import newest_publication
from pipelines.lib.readers import open_reader
from pipelines.lib.verify import rebuild_differences
from pipelines.lib.workshop import Workshop, open_workshop
from pipelines.lib.writer import Writer
from tests.pipelines.conftest import PROJECT, Installation, rows

FIGURES = "select event_date, practitioner_id, visits from lake.marts.agg_visit_day order by all"
VOID = "update encounter set voided_at = now(), void_reason = 'error', status = 'entered_in_error' where id = %s"
GOLD = ("staging.stg_operational__encounter", "marts.dim_practitioner", "marts.fct_visit", "marts.agg_visit_day")


class Silent:
    """Reports to nobody."""

    def report(self, result: object) -> None: ...


def contents(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(connection.execute(f"select * from lake.{name}").fetchall(), key=str) for name in GOLD}


def move_at_random(installation: Installation, chance: random.Random) -> None:
    """New, moved, voided, restored, deleted and refused visits, in one or several transactions."""
    installation.visit(days=chance.randrange(60))
    for _ in range(chance.randrange(1, 5)):
        visit = chance.choice(installation.visits)
        statement = chance.choice(
            (
                "update encounter set started_at = started_at + interval '3 days',"
                " ended_at = ended_at + interval '3 days' where id = %s",
                VOID,
                "update encounter set voided_at = null, void_reason = null, status = 'finished' where id = %s",
                "delete from encounter where id = %s",
            )
        )
        installation.change(statement, visit)


def test_a_table_that_is_made_anew_is_sorted(installation: Installation, workshop: Workshop, passes: Passes) -> None:
    """What a pass names then lies in few row groups; the keys come in another order than the days."""
    for days in (9, 2, 5, 0):
        installation.visit(days=days)
    passes.refresh(rebuild=True)
    found = [row[0] for row in rows(workshop, "select event_date from lake.marts.fct_visit order by rowid")]
    assert len(set(found)) == 4
    assert found == sorted(found)


def test_a_pass_brings_a_visit_into_the_figures_and_publishes_it(
    installation: Installation, workshop: Workshop, passes: Passes
) -> None:
    installation.visit()
    result = passes.refresh()
    assert result is not None and result.publication.watermark_xid == result.to_xid
    assert [row[2] for row in rows(workshop, FIGURES)] == [1]
    assert passes.refresh() is None
    assert installation.value("select count(*) from published") == 1
    assert installation.value("select state from lake_pass order by id desc limit 1") == "published"


def test_random_moves_equal_a_full_rebuild_and_a_dbt_build(
    installation: Installation, workshop: Workshop, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With every table copied, rows in files and in the catalogue, and compaction in every other pass."""
    monkeypatch.setattr(near, "READS", 1)
    monkeypatch.setattr(maintenance, "PASSES", 2)
    workshop.lake.execute("call lake.set_option('data_inlining_row_limit', 2)")
    chance = random.Random(7)
    for _ in range(12):
        move_at_random(installation, chance)
        assert passes.refresh() is not None
    workshop.lake.execute("set variable from_xid = 0; set variable to_xid = 9223372036854775807")
    for model in passes.project.models:
        assert rebuild_differences(workshop.lake, model) == 0, model.name
    passed = contents(workshop.lake)
    runner = DbtRunner(installation.settings, workshop.instance, PROJECT)
    statuses = runner.build(0, 2**62, "--full-refresh")
    assert {status for _, status in statuses} == {"success", "pass"}
    assert contents(workshop.lake) == passed
    assert sum(row[2] for row in rows(workshop, FIGURES)) == installation.value(
        "select count(*) from encounter where voided_at is null"
    )


def test_a_failing_model_publishes_nothing_and_the_range_is_taken_again(
    installation: Installation, workshop: Workshop, passes: Passes
) -> None:
    installation.visit()
    passes.refresh()
    before, published = contents(workshop.lake), newest_publication(workshop)
    bad = installation.visit(days=1, complaints="FAIL")
    for _ in range(2):
        with pytest.raises(ModelFailed, match="fct_visit"):
            passes.refresh()
    assert contents(workshop.lake) == before
    assert newest_publication(workshop) == published
    assert installation.value("select error from lake_pass order by id desc limit 1").startswith("ModelFailed")
    installation.change("update encounter set complaints = null where id = %s", bad)
    assert passes.refresh() is not None
    assert sum(row[2] for row in rows(workshop, FIGURES)) == 2


def test_a_failing_check_publishes_nothing(installation: Installation, workshop: Workshop, passes: Passes) -> None:
    installation.visit()
    passes.refresh()
    published = newest_publication(workshop)
    installation.change("alter table encounter drop constraint ck_encounter_status")
    installation.visit(status="invented")
    with pytest.raises(CheckFailed, match="accepted_values"):
        passes.refresh()
    assert newest_publication(workshop) == published


def test_a_changed_model_is_made_anew_with_its_readers(
    installation: Installation, workshop: Workshop, passes: Passes
) -> None:
    installation.visit()
    passes.refresh()
    workshop.lake.execute("update lake.bronze.model set checksum = 'old' where name = 'fct_visit'")
    workshop.lake.execute("insert into lake.bronze.model values ('marts', 'fct_gone', 'x')")
    workshop.lake.execute("create table lake.marts.fct_gone as select 1 as id")
    result = passes.refresh()
    assert result is not None
    assert [change.model.name for change in result.changes] == ["fct_visit", "agg_visit_day"]
    assert rows(workshop, "select table_name from duckdb_tables() where table_name = 'fct_gone'") == []


def test_the_serving_file_equals_the_lake_at_its_snapshot(
    installation: Installation, workshop: Workshop, passes: Passes
) -> None:
    chance = random.Random(3)
    for _ in range(6):
        move_at_random(installation, chance)
        result = passes.refresh()
        assert result is not None
        assert served(installation, passes) == kept(workshop, passes)
    listed = serving.snapshots(installation.settings.serve_dir)
    assert len(listed) <= 5
    lists = [serving.read(installation.settings.serve_dir, number) or {} for number in listed]
    named = {file for files in lists for file in files.values()}
    assert set(installation.settings.serve_dir.glob("*.duckdb")) == named


def test_a_table_that_did_not_change_keeps_its_file(installation: Installation, passes: Passes) -> None:
    folder = installation.settings.serve_dir
    installation.visit()
    first = passes.refresh()
    installation.change("update organisation_version set name_ru = name_ru || '.'")
    second = passes.refresh()
    assert first is not None and second is not None
    before = serving.read(folder, first.publication.snapshot_id)
    after = serving.read(folder, second.publication.snapshot_id)
    changed = {change.model.name for change in second.changes}
    assert before is not None and after is not None
    assert {table for table in after if after[table] != before[table]} == changed & after.keys()
    assert after.keys() - changed


def test_serving_files_that_are_missing_are_made_by_the_next_pass(
    installation: Installation, workshop: Workshop, passes: Passes
) -> None:
    installation.visit()
    first = passes.refresh()
    assert first is not None and passes.refresh() is None
    for file in installation.settings.serve_dir.iterdir():
        file.unlink()
    (installation.settings.serve_dir / f"{first.publication.snapshot_id}.duckdb").touch()  # of an earlier release
    second = passes.refresh()
    assert second is not None and second.publication.snapshot_id == first.publication.snapshot_id
    assert served(installation, passes) == kept(workshop, passes)
    assert passes.refresh() is None
    assert not (installation.settings.serve_dir / f"{first.publication.snapshot_id}.duckdb").exists()


def served(installation: Installation, passes: Passes) -> dict[str, list[tuple[Any, ...]]]:
    """What the serving files of the newest publication hold, sorted."""
    newest = newest_publication(passes.workshop)
    assert newest is not None
    files = serving.read(installation.settings.serve_dir, newest.snapshot_id)
    assert files is not None and files.keys() == {model.name for model in passes.project.served}
    found = {}
    for table, file in files.items():
        with duckdb.connect(str(file), read_only=True) as connection:
            found[table] = sorted(connection.execute(f"select * from {serving.TABLE}").fetchall(), key=str)
    return found


def kept(workshop: Workshop, passes: Passes) -> dict[str, list[tuple[Any, ...]]]:
    """The same tables in the lake."""
    return {
        model.name: sorted(rows(workshop, f"select * from {model.relation}"), key=str)
        for model in passes.project.served
    }


@pytest.mark.parametrize("after", ["pass", "maintenance"])
def test_what_a_writer_built_and_did_not_publish_is_in_the_next_serving_file(
    installation: Installation, workshop: Workshop, passes: Passes, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    """A rebuild of the same watermark is the case that the watermark alone would not tell."""
    installation.visit()
    assert passes.refresh() is not None
    workshop.lake.execute("update lake.marts.agg_visit_day set visits = 7")
    built = read_built(workshop)
    assert built is not None
    passes.publisher.publish(built, None, workshop.clock.now())
    with monkeypatch.context() as killed:
        killed.setattr(passes.publisher, "publish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            passes.refresh(rebuild=True)
    if after == "pass":
        installation.visit(days=1)
        assert passes.refresh() is not None
    else:
        Writer(workshop, passes.project, Silent())._upkeep()
    assert served(installation, passes) == kept(workshop, passes)


def test_copies_are_not_trusted_after_anything_else_wrote_to_the_lake(
    installation: Installation, workshop: Workshop, passes: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near, "READS", 1)
    for _ in range(3):
        installation.visit()
        passes.refresh()
    assert rows(workshop, "select count(*) from duckdb_tables() where temporary and table_name = 'fct_visit'") == [(1,)]
    workshop.lake.execute(f"delete from lake.marts.fct_visit where encounter_id = {installation.visits[0]}")
    installation.visit()
    passes.refresh()
    assert [row[2] for row in rows(workshop, FIGURES)] == [3]


def test_a_lake_of_an_earlier_release_is_laid_out_anew(
    installation: Installation, workshop: Workshop, project: Project
) -> None:
    """Its partitions had no folders, and no row lay in the catalogue."""
    bronze = "select * from lake.bronze.change order by feed_id"
    folders = "table_name=*/*.parquet"
    for option, value in (("hive_file_pattern", "false"), ("data_inlining_row_limit", "0")):
        workshop.lake.execute(f"call lake.set_option('{option}', {value})")
    installation.visit()
    assert Passes(workshop, project).refresh() is not None
    entries, before = rows(workshop, bronze), contents(workshop.lake)
    workshop.close()
    assert not list(installation.settings.lake_dir.rglob(folders))
    with open_workshop(installation.settings) as workshop:
        assert rows(workshop, bronze) == entries
        passes = Passes(workshop, project)
        assert passes.refresh() is not None, "every model is made anew"
        assert contents(workshop.lake) == before
        installation.visit(days=1)
        assert passes.refresh() is not None
        assert maintenance.compact(workshop).failed == ()
        assert list(installation.settings.lake_dir.rglob(folders))
        assert len(rows(workshop, FIGURES)) == 2
    with open_workshop(installation.settings) as workshop:
        assert Passes(workshop, project).refresh() is not None, "compacting made a snapshot"
        assert Passes(workshop, project).refresh() is None


def test_a_draft_that_a_killed_writer_left_is_removed(
    installation: Installation, workshop: Workshop, passes: Passes
) -> None:
    folder = installation.settings.serve_dir
    folder.mkdir(parents=True)
    for number in range(1, 40):
        (folder / f"{number}.draft.wal").write_bytes(b"half")
    (folder / "3.draft").write_bytes(b"half")
    installation.visit()
    assert passes.refresh() is not None
    assert not list(folder.glob("*.draft*"))
    assert served(installation, passes) == kept(workshop, passes)


def test_an_old_snapshot_reads_as_it_was(installation: Installation, workshop: Workshop, passes: Passes) -> None:
    installation.visit()
    first = passes.refresh()
    assert first is not None
    then = contents(workshop.lake)
    installation.visit(days=2)
    installation.change(VOID, installation.visits[0])
    passes.refresh()
    with open_reader(installation.settings, first.publication.snapshot_id) as reader:
        assert contents(reader.connection) == then


KILLED = """
import os, signal, sys
from pathlib import Path
from kmis.settings import get_settings
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.passes import Passes, read_built
from pipelines.lib.project import compile_project
from pipelines.lib.workshop import open_workshop
settings = get_settings()
def progress(step):
    if step.split()[0] == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)
with open_workshop(settings) as workshop:
    project = compile_project(DbtRunner(settings, workshop.instance, Path(sys.argv[2])))
    Passes(workshop, project).refresh(progress=progress)
"""


@pytest.mark.parametrize("step", ["append", "load", "fct_visit", "commit", "publish"])
def test_a_killed_pass_is_run_again_with_equal_figures(installation: Installation, step: str) -> None:
    installation.visit()
    installation.visit(days=1)
    environment = dict(
        os.environ,
        KMIS_HOME=str(installation.settings.home),
        KMIS_DATABASE_URL=str(installation.settings.database_url),
    )
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, step, str(PROJECT)],
        env=environment, cwd=Path(__file__).parents[2], check=False, capture_output=True,
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr.decode()[-2000:]
    with open_workshop(installation.settings) as workshop:
        from pipelines.lib.project import compile_project

        passes = Passes(workshop, compile_project(DbtRunner(installation.settings, workshop.instance, PROJECT)))
        assert passes.refresh() is not None
        assert passes.refresh() is None
        assert [row[2] for row in rows(workshop, FIGURES)] == [1, 1]
        assert rows(workshop, "select count(feed_id) from lake.bronze.change") == [
            (installation.value("select count(*) from change_feed"),)
        ]
        newest = newest_publication(workshop)
        assert newest is not None and newest.snapshot_id == lake.current_snapshot(workshop.lake)


def test_there_is_one_writer(installation: Installation, workshop: Workshop) -> None:
    with pytest.raises(WriterBusy):
        open_workshop(installation.settings)
    workshop.store.execute("select pg_advisory_unlock_all()")
    with pytest.raises(WriterBusy, match="lost"):
        workshop.ensure_lock()
