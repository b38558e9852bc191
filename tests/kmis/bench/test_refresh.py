"""The refresh benchmark on a small lake: passes are measured by step and model, goals and their offenders are told."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from kmis.bench import refresh
from kmis.bench.changes import KINDS, RECENT, SPREADS, TOGETHER, NoPeople, Signer, correct
from kmis.bench.results import sections_of
from kmis.cli.main import app
from pipelines.lib.project import Project
from tests.pipelines.conftest import Installation

VISITS = KINDS[:1]
SIZE = refresh.Size(refreshes=2, rows=4, turns=1, kinds=VISITS)


def test_each_state_and_spread_is_measured_by_step_and_model(installation: Installation, project: Project) -> None:
    for days in range(6):
        installation.visit(days=days)
    lake = refresh.measure(installation.settings, "demo", 1, SIZE, project=project)
    assert {(case.state, case.fact, case.spread) for case in lake.cases} == {
        (state, fact, spread)
        for state in (refresh.AGED, refresh.KEPT)
        for fact in ("fct_visit", TOGETHER)
        for spread in SPREADS
    }
    for case in lake.cases:
        # the refreshes before have signed a visit each; of all years there are those of long ago too
        recent = installation.value("select count(*) from encounter where started_at > now() - %s", RECENT)
        assert recent >= SIZE.refreshes
        assert case.rows == (min(recent, SIZE.rows) if case.spread == "last weeks" else SIZE.rows)
        assert 0 < case.step("models") + case.step("load") + case.step("publish") <= case.seconds
        assert {name for name, _ in case.slowest()} == {"stg_operational__encounter", "fct_visit", "agg_visit_day"}
    assert lake.visits == installation.value("select count(*) from encounter")
    assert lake.rebuild_s > 0
    result = refresh.report(refresh.Outcome((lake,), SIZE))
    assert "changed rows on the demo lake" in result.ratio


def test_the_goals_name_what_missed_them() -> None:
    result = refresh.report(refresh.Outcome((_lake("demo", 1.0), _lake("larger", 1.2, aged=3.0)), SIZE))
    missed = {goal.text: goal.measured for goal in result.goals if not goal.met}
    assert missed == {
        "after the refreshes: last weeks, larger to demo: ratio at most 1.5":
            "worst 3.00 (fct_visit), median 2.10; beyond: fct_visit",
        "after the refreshes: all years, on the larger: seconds for each fact at most 2":
            "worst 3.00 s (fct_visit), median 3.00 s; beyond: fct_visit",
    }  # fmt: skip
    assert len(result.goals) == 4
    assert any(line.startswith("fct_visit, all years, after the refreshes: 3.00 s") for line in result.lines)
    assert "agg_visit_day 2.40" in "\n".join(result.lines)


def _lake(label: str, seconds: float, aged: float | None = None) -> refresh.Lake:
    """A lake whose passes took so long, those of visits after the refreshes ``aged``."""
    cases = []
    for state in (refresh.AGED, refresh.KEPT):
        for fact in ("fct_visit", TOGETHER):
            for spread in SPREADS:
                took = aged if aged and (state, fact) == (refresh.AGED, "fct_visit") else seconds
                timed = refresh.Timed(4, took, {"models": took * 0.9}, {"agg_visit_day": took * 0.8})
                cases.append(refresh.Case(state, fact, spread, (timed,)))
    return refresh.Lake(label, 1, 8, {refresh.AGED: "9 files", refresh.KEPT: "3 files"}, cases, 9.0)


def test_corrections_reach_the_feed_and_stay_within_their_weeks(installation: Installation) -> None:
    installation.visit(days=0)
    Signer(installation.settings).sign(0)
    before = installation.value("select max(id) from change_feed")
    recent = installation.value("select count(*) from encounter where started_at > now() - %s", RECENT)
    total = installation.value("select count(*) from encounter")
    assert 0 < recent < total
    assert correct(installation.settings, VISITS, 100, "last weeks", 0) == recent
    assert correct(installation.settings, VISITS, 100, "all years", 0) == total
    assert correct(installation.settings, VISITS, 1, "all years", 0) == 1
    with psycopg.connect(installation.settings.dsn("kmis_owner")) as connection:
        rows = connection.execute(
            "select operation::text, reason, (new_row->>'started_at')::timestamptz > now() - %s from change_feed"
            " where id > %s order by id limit %s",
            (RECENT, before, recent),
        ).fetchall()
    assert rows == [("U", "benchmark", True)] * recent


def test_every_kind_of_correction_fits_the_schema(installation: Installation) -> None:
    for spread in SPREADS:
        assert correct(installation.settings, KINDS, len(KINDS), spread, 0) >= 1


def test_without_the_demonstrations_doctor_nobody_signs(installation: Installation) -> None:
    installation.change("update app_user set login = 'nobody' where login = 'doctor'")
    with pytest.raises(NoPeople):
        Signer(installation.settings)
    installation.change("update app_user set login = 'doctor' where login = 'nobody'")


@pytest.mark.long
@pytest.mark.parametrize("name", ["refresh", "drill"])
def test_the_command_makes_its_own_region_and_writes_its_section(name: str, tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    done = CliRunner().invoke(app, ["bench", name, "--quick", "--document", str(document)], catch_exceptions=False)
    assert done.exit_code in (0, 1), done.output
    assert list(sections_of(document)) == [name]
