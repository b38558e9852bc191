"""Reconciliation is exact at the watermark while the store moves on, and finds one corrupted row."""

from __future__ import annotations

import psycopg
import pytest

from kmis.clock import SystemClock
from kmis.settings import Settings
from pipelines.lib.passes import Passes
from pipelines.lib.project import Project
from pipelines.lib.reconcile import NothingToReconcile, Reconciled, reconcile, source_side
from pipelines.lib.verify import bronze_findings, rebuild_differences
from pipelines.lib.workshop import Workshop
from tests.pipelines.conftest import Installation

VOID = "update encounter set voided_at = now(), void_reason = 'x', status = 'entered_in_error' where id = %s"


def compare(settings: Settings, project: Project) -> Reconciled:
    return reconcile(settings, project, SystemClock())


def test_both_sides_are_equal_while_the_store_moves_on(
    installation: Installation, project: Project, passes: Passes
) -> None:
    visits = [installation.visit(days=day) for day in range(5)]
    passes.refresh()
    before = compare(installation.settings, project).facts
    installation.change(VOID, visits[0])
    installation.change("delete from encounter where id = %s", visits[1])
    installation.change("update encounter set status = 'in_progress' where id = %s", visits[2])
    installation.change("update encounter set status = 'finished' where id = %s", visits[2])
    installation.visit(days=9)
    after = compare(installation.settings, project)
    assert after.equal and after.facts == before
    assert after.facts[0].source_count == 5
    assert installation.value("select state from published order by id desc limit 1") == "ok"
    passes.refresh()
    moved = compare(installation.settings, project)
    assert moved.equal and moved.facts[0].source_count == 4


def test_a_corrupted_gold_row_is_found(
    installation: Installation, workshop: Workshop, project: Project, passes: Passes
) -> None:
    """The count stays the same: the control total tells."""
    visit = installation.visit()
    passes.refresh()
    workshop.lake.execute(f"update lake.marts.fct_visit set status = 'in_progress' where encounter_id = {visit}")
    installation.visit(days=1)
    passes.refresh()
    result = compare(installation.settings, project)
    assert not result.equal
    assert result.facts[0].source_count == result.facts[0].gold_count
    assert installation.value("select reconciliation ->> 'state' from published order by id desc limit 1") == (
        "different"
    )


def test_an_entry_that_came_late_belongs_to_the_watermark(
    installation: Installation, project: Project, passes: Passes
) -> None:
    """The same race as in the loader: the newest image up to the watermark is younger than one beyond it."""
    visit = installation.visit()
    passes.refresh()
    with installation.connect() as a, installation.connect() as b, installation.connect() as c:
        for connection in (a, c, b):
            connection.execute("select pg_current_xact_id()")
        b.execute("update encounter set status = 'in_progress' where id = %s", (visit,))
        b.commit()
        a.execute("update encounter set complaints = 'none' where id = %s", (visit,))
        a.commit()
        passes.refresh()
        assert compare(installation.settings, project).equal
        c.commit()
    passes.refresh()
    assert compare(installation.settings, project).equal


def test_nothing_published_is_said(installation: Installation, project: Project) -> None:
    with pytest.raises(NothingToReconcile):
        compare(installation.settings, project)


def test_verification_finds_a_row_that_no_rebuild_would_make(
    installation: Installation, workshop: Workshop, project: Project, passes: Passes
) -> None:
    installation.visit()
    result = passes.refresh()
    assert result is not None
    fact = next(model for model in project.models if model.name == "fct_visit")
    workshop.lake.execute("set variable from_xid = 0; set variable to_xid = 9223372036854775807")
    assert rebuild_differences(workshop.lake, fact) == 0
    workshop.lake.execute("update lake.marts.fct_visit set status = 'x'")
    assert rebuild_differences(workshop.lake, fact) == 2
    with psycopg.connect(installation.settings.dsn("kmis_writer")) as store:
        assert all(finding.ok for finding in bronze_findings(store, workshop.lake, result.to_xid)[0])
        workshop.lake.execute("delete from lake.bronze.change where table_name = 'encounter'")
        wrong = [f.subject for f in bronze_findings(store, workshop.lake, result.to_xid)[0] if not f.ok]
    assert wrong == ["bronze.change/encounter"]


def test_the_source_side_reads_one_moment(installation: Installation, project: Project, passes: Passes) -> None:
    installation.visit()
    result = passes.refresh()
    assert result is not None
    facts = [model for model in project.models if model.reconciliation]
    with psycopg.connect(installation.settings.dsn("kmis_writer"), autocommit=True) as store:
        assert source_side(store, facts, result.to_xid)["fct_visit"][0] == 1
        assert source_side(store, facts, 0)["fct_visit"][0] == 0
