"""Results of benchmarks become sections of one document; the command writes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kmis.bench.results import Goal, Result, quantile, sections_of, write
from kmis.cli.bench import NAMES
from kmis.cli.main import app


@pytest.fixture
def result() -> Result:
    return Result(
        name="hl7", title="Messages a second.", size="8 messages", goals=(Goal("all recorded", "yes", True),),
        peer="a receiver that does not read", ratio="2.0 times", lines=("kmis  100 messages/s",),
        command=".venv/bin/kmis bench hl7 --messages 8",
    )  # fmt: skip


def test_a_section_says_how_where_goal_peer_and_ratio(result: Result) -> None:
    section = result.section()
    machine = result.machine
    for part in (
        "`.venv/bin/kmis bench hl7 --messages 8`", "8 messages", "| all recorded | yes | met |", "2.0 times",
        "a receiver that does not read", "kmis  100 messages/s", machine.cpu, f"{machine.cores} cores", machine.commit,
        f"duckdb {machine.versions['duckdb']}", f"{machine.at:%Y-%m-%d}",
    ):  # fmt: skip
        assert part in section


def test_a_run_replaces_its_own_section_only_and_sections_keep_their_order(tmp_path: Path, result: Result) -> None:
    document = tmp_path / "benchmarks.md"
    for name in ("drill", "hl7", "unload"):
        write(replace(result, name=name), document, NAMES)
    before = sections_of(document)
    write(replace(result, goals=(Goal("all recorded", "3 of 8", False),)), document, NAMES)
    after = sections_of(document)
    assert list(after) == ["unload", "hl7", "drill"]
    assert (after["unload"], after["drill"]) == (before["unload"], before["drill"])
    assert "| all recorded | 3 of 8 | **missed** |" in after["hl7"]
    assert document.read_text().count("# Benchmarks") == 1


def test_a_missed_goal_is_printed_and_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kmis.bench import unload

    monkeypatch.setattr(unload, "GOALS", {"xlsxwriter": 1e6, "duckdb excel": 0.0})
    document = tmp_path / "benchmarks.md"
    done = CliRunner().invoke(app, ["bench", "unload", "--quick", "--rows", "500", "--document", str(document)])
    assert done.exit_code == 1
    assert "MISSED at least 1e+06 times as fast as xlsxwriter" in done.output
    assert "met    at least 0 times as fast as duckdb excel" in done.output
    section = sections_of(document)["unload"]
    assert "`.venv/bin/kmis bench unload --quick --rows 500`" in section
    assert "**missed**" in section


def test_a_quick_run_leaves_the_projects_document_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from kmis.bench import results

    monkeypatch.setattr(results, "DOCUMENT", tmp_path / "benchmarks.md")
    CliRunner().invoke(app, ["bench", "unload", "--quick", "--rows", "100"])
    assert not (tmp_path / "benchmarks.md").exists()


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 6.0), (0.95, 10.0), (1.0, 10.0)])
def test_quantile(share: float, value: float) -> None:
    assert quantile([float(number) for number in range(10, 0, -1)], share) == value
