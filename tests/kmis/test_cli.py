"""The command line: what each command does, and refusals in one line."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from typer.testing import CliRunner

from kmis.cli.life import waiting_lines
from kmis.cli.main import app
from kmis.cli.requirements import marked_tests, register_rows
from kmis.settings import Settings

COMMANDS = ("up", "demo", "down", "status", "refresh", "reconcile", "unload", "report", "sheet", "bench",
            "requirements", "user")  # fmt: skip
NOTHING = "kmis: nothing is published yet: run `kmis refresh`"


@pytest.fixture
def runner(settings: Settings, world: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    monkeypatch.setenv("COLUMNS", "200")
    yield CliRunner()


def test_help_explains_each_command() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    lines = {words[1]: words for line in shown.output.splitlines() if len(words := line.split()) > 3}
    for command in COMMANDS:
        assert command in lines, command


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["reconcile"], ["unload", "XLS-02", "--from", "2026-01-01", "--to", "2026-01-31"]],
)
def test_before_the_first_pass(runner: CliRunner, arguments: list[str]) -> None:
    done = runner.invoke(app, arguments)
    assert done.exit_code == 2, done.output
    assert done.stderr.strip() == NOTHING


def test_status_names_the_session_that_keeps_the_figures_back(settings: Settings, world: dict[str, int]) -> None:
    with psycopg.connect(settings.dsn("kmis_owner"), application_name="someone's console") as slow:
        slow.execute("update app_user set language = language")
        told = waiting_lines(settings)
        assert any(f"session {slow.info.backend_pid} (someone's console)" in line for line in told)
        slow.rollback()
    assert not any("session" in line for line in waiting_lines(settings))


def test_unknown_signal_sheet_lists_those_known(runner: CliRunner) -> None:
    done = runner.invoke(app, ["sheet", "SIG-01"])
    assert done.exit_code == 2
    assert done.stderr.strip() == "kmis: no signal sheet SIG-01; known are: none"


def test_unknown_benchmark(runner: CliRunner) -> None:
    done = runner.invoke(app, ["bench", "speed"])
    assert (done.exit_code, "unknown benchmark speed" in done.output) == (2, True)


def test_requirements_are_counted(runner: CliRunner) -> None:
    done = runner.invoke(app, ["requirements"])
    marked = marked_tests()
    unknown = set(marked) - {row["id"] for row in register_rows()}
    assert not unknown
    assert done.exit_code == 0
    software = [row for row in register_rows() if row["kind"] == "software"]
    shown = next(line for line in done.output.splitlines() if " all " in line)
    tested = sum(row["id"] in marked for row in software)
    assert [str(len(software)), str(tested)] == [word for word in shown.split() if word.isdecimal()]
