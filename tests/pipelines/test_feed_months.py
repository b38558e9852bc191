"""Months of the feed: dropped only when a verification has read them back, and never with a change of a figure."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from kmis.clock import SystemClock
from pipelines.lib import feed_months
from pipelines.lib.errors import PassRefused
from pipelines.lib.passes import Passes
from pipelines.lib.project import Project
from pipelines.lib.reconcile import reconcile
from pipelines.lib.verify import Verification, verify
from pipelines.lib.workshop import Workshop
from pipelines.lib.writer import Writer
from tests.pipelines.conftest import Installation, rows
from tests.pipelines.test_lake_state import Deaf

FIGURES = "select sum(visits) from lake.marts.agg_visit_day"
MONTHS = "select string_agg(month::text, ',' order by month) from feed_month where dropped_at is {} null"


@pytest.fixture
def aged(installation: Installation, workshop: Workshop, passes: Passes) -> Installation:
    """What was written so far was written in January 2025; one visit is of today."""
    installation.change("select kmis_feed_partitions('2025-01-15'::timestamptz)")
    installation.visit()
    installation.change("update change_feed set recorded_at = '2025-01-20 10:00+00'")
    installation.visit(days=1)
    passes.refresh()
    return installation


def verified(installation: Installation, project: Project) -> Verification:
    return verify(installation.settings, project, SystemClock())


def partition(installation: Installation) -> object:
    return installation.value("select to_regclass('change_feed_2025_01')::text")


def test_a_month_that_nobody_verified_stays(aged: Installation, workshop: Workshop) -> None:
    assert feed_months.drop_old(workshop) == []
    with pytest.raises(psycopg.errors.CheckViolation, match="not verified"):
        workshop.store.execute("select kmis_drop_feed_month('2025-01-01')")
    assert partition(aged)


def test_a_verified_month_goes_and_no_figure_changes(
    aged: Installation, workshop: Workshop, project: Project, passes: Passes
) -> None:
    assert verified(aged, project).ok
    assert aged.value(MONTHS.format("")) == "2025-01-01", "the month that still goes on is not noted"
    before = rows(workshop, FIGURES)
    entries = aged.value("select count(*) from change_feed where recorded_at < '2025-02-01'")
    assert feed_months.drop_old(workshop) == ["2025-01"]
    assert partition(aged) is None
    assert aged.value(MONTHS.format("not")) == "2025-01-01"
    with aged.connect() as owner:
        row = owner.execute("select detail from audit_event where action = 'feed.month_dropped'").fetchone()
    assert row is not None and row[0]["entries"] == entries
    after = verified(aged, project)
    assert after.ok
    assert "bronze.change/2025-01" in {finding.subject for finding in after.findings}
    assert reconcile(aged.settings, project, SystemClock()).equal
    passes.refresh(rebuild=True)
    assert rows(workshop, FIGURES) == before == [(2,)]
    # What was dropped is noticed as long as the lake has to hold it.
    workshop.lake.execute("delete from lake.bronze.change where recorded_at < timestamptz '2025-02-01' and key = 1")
    passes.refresh(rebuild=True)
    wrong = {finding.subject for finding in verified(aged, project).findings if not finding.ok}
    assert "bronze.change/2025-01" in wrong


def test_a_month_that_changed_since_it_was_verified_stays(
    aged: Installation, workshop: Workshop, project: Project
) -> None:
    verified(aged, project)
    aged.visit(days=2)
    aged.change("update change_feed set recorded_at = '2025-01-21' where id = (select max(id) from change_feed)")
    assert feed_months.drop_old(workshop) == []
    assert partition(aged)


def test_a_month_that_bronze_no_longer_holds_stays(aged: Installation, workshop: Workshop, project: Project) -> None:
    verified(aged, project)
    workshop.lake.execute("delete from lake.bronze.change where table_name = 'encounter'")
    assert feed_months.drop_old(workshop) == []
    assert partition(aged)


def test_a_month_with_an_entry_that_was_not_read_is_not_noted(
    aged: Installation, workshop: Workshop, project: Project
) -> None:
    aged.visit(days=2)
    aged.change("update change_feed set recorded_at = '2025-01-21' where id = (select max(id) from change_feed)")
    verified(aged, project)
    assert aged.value(MONTHS.format("")) is None


def test_a_month_younger_than_the_setting_stays(aged: Installation, workshop: Workshop, project: Project) -> None:
    verified(aged, project)
    workshop.settings = workshop.settings.model_copy(update={"feed_keep_months": 1200})
    assert feed_months.drop_old(workshop) == []
    this_month = workshop.clock.now().date().replace(day=1) - timedelta(days=1)
    aged.change(
        "insert into feed_month (month, entries, last_feed_id, digest, verified_at, snapshot_id)"
        " values (%s, 0, 0, 0, now(), 1)",
        this_month.replace(day=1),
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="too young"):
        workshop.store.execute("select kmis_drop_feed_month(%s)", (this_month.replace(day=1),))


def test_a_lake_made_anew_after_months_were_dropped_is_refused(
    aged: Installation, workshop: Workshop, project: Project
) -> None:
    verified(aged, project)
    feed_months.refuse_gap(workshop)
    assert feed_months.drop_old(workshop) == ["2025-01"]
    feed_months.refuse_gap(workshop)
    workshop.lake.execute("delete from lake.bronze.watermark")
    with pytest.raises(PassRefused, match="no longer has"):
        feed_months.refuse_gap(workshop)


def test_nightly_upkeep_drops_what_the_verification_before_it_proved(
    aged: Installation, workshop: Workshop, project: Project
) -> None:
    at_work = Writer(workshop, project, Deaf())
    for months in ([], ["2025-01"]):
        aged.change("insert into pass_request (kind, requested_by) values ('maintenance', 'test')")
        at_work.step()
        newest = "select detail -> 'months' from lake_pass where kind = 'maintenance' order by id desc limit 1"
        assert aged.value(newest) == months
        verified(aged, project)
    assert partition(aged) is None
    assert rows(workshop, FIGURES) == [(2,)]


def test_the_writer_may_not_declare_a_month_dropped(aged: Installation, workshop: Workshop, project: Project) -> None:
    verified(aged, project)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        workshop.store.execute("update feed_month set dropped_at = now()")
