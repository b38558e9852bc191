"""What must hold after kills: the figures are equal, nothing acknowledged is missing, nothing half-made is seen."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import duckdb
import psycopg

from kmis import serving
from kmis.clock import SystemClock
from pipelines.lib.project import Model
from pipelines.lib.readers import open_reader
from pipelines.lib.reconcile import reconcile
from pipelines.lib.requests import ask
from tests.faults.player import Player
from tests.faults.system import System, wait_for

LISTENERS = ("dicom", "mllp")
NOTHING_OPEN = (
    "select not exists (select from lake_pass where state = 'running')"
    " and not exists (select from pass_request where state in ('waiting', 'running'))"
)


class Nobody:
    """Hears what a pass did."""

    def report(self, result: object) -> None: ...


def prove(system: System, player: Player, say: Callable[[str], None], *, last: bool) -> None:
    """Stop the player, refresh once, compare. With ``last`` by the commands too, and by a full verification."""
    player.stop()
    take_up_spooled(system)
    if last:
        system.installation.kmis("refresh")
    else:
        ask(system.settings, SystemClock(), Nobody(), asked_by="kill campaign")
    result = reconcile(system.settings, system.project, SystemClock())
    different = [fact.fact for fact in result.facts if not fact.equal]
    assert not different, f"after one refresh these facts differ: {different}"
    lost = player.missing()
    assert not lost, f"{len(lost)} acknowledged acts are missing, the first: {lost[0]}"
    assert not system.half_made()
    facts, visits = check_gold(system, player, result.snapshot_id)
    check_serving_file(system)
    wait_for("every pass and request of killed writers to be closed", lambda: system.value(NOTHING_OPEN))
    if last:
        system.installation.kmis("reconcile")
        system.installation.kmis("verify")
    say(
        f"  proved: {len(result.facts)} facts reconcile, {facts} have no duplicate key,"
        f" {len(player.entries())} acknowledged acts are there, {visits} visits in gold{', verified' if last else ''}"
    )


def take_up_spooled(system: System) -> None:
    """A listener takes up at its start what an earlier one, or a store that did not answer, left in the spool."""
    if system.spooled():
        for part in LISTENERS:
            os.kill(system.pid(part), signal.SIGTERM)
    wait_for("the spool to be empty", lambda: not system.spooled())
    wait_for("the listeners", lambda: system.images_answer() and system.laboratory_answers())


def check_gold(system: System, player: Player, snapshot: int) -> tuple[int, int]:
    """No fact has a key twice, and every acknowledged visit that stands is in the fact; how many facts and visits."""
    acknowledged = sorted({
        int(entry.match["id"]) for entry in player.entries() if entry.table == "encounter" and "id" in entry.match
    })  # fmt: skip
    with psycopg.connect(system.settings.dsn("kmis_owner")) as owner:
        standing = owner.execute(
            "select id from encounter where id = any(%s) and status = 'finished' and voided_at is null"
            " and signed_at is not null",
            (acknowledged,),
        ).fetchall()
    facts = [model for model in system.project.models if model.reconciliation]
    with open_reader(system.settings, snapshot) as reader:
        twice = [fact.name for fact in facts if not _unique(reader.connection, fact)]
        gold = {row[0] for row in reader.connection.execute("select encounter_id from lake.marts.fct_visit").fetchall()}
    assert not twice, f"a key stands twice in {twice}"
    absent = [row[0] for row in standing if row[0] not in gold]
    assert not absent, f"{len(absent)} acknowledged visits are not in gold, the first: {absent[0]}"
    return len(facts), len(standing)


def _unique(connection: duckdb.DuckDBPyConnection, fact: Model) -> bool:
    """Whether the fact's tests of uniqueness find nothing; a fact without one is not unique."""
    checks = [check.sql for check in fact.checks if check.name.startswith("unique_")]
    return bool(checks) and all(
        connection.execute(f"select 1 from ({sql}) limit 1").fetchone() is None for sql in checks
    )


def check_serving_file(system: System) -> None:
    """The files that readers are given hold what the lake holds at its snapshot, row by row."""
    with system.store() as store:
        row = store.execute("select snapshot_id from published order by id desc limit 1").fetchone()
    assert row is not None
    files = serving.read(system.settings.serve_dir, int(row[0]))
    assert files is not None, "a file that the newest publication names is missing"
    with open_reader(system.settings, int(str(row[0]))) as reader:
        connection = reader.connection
        for model in system.project.served:
            connection.execute(f"attach '{files[model.name]}' as serving (read_only)")
            kept, served = f"from {model.relation}", f"from serving.{serving.TABLE}"
            differing = connection.execute(
                f"select (select count(*) from ({kept} except all {served}))"
                f" + (select count(*) from ({served} except all {kept}))"
            ).fetchone()
            assert differing == (0,), f"the serving file differs from the lake in {model.name}"
            connection.execute("detach serving")
