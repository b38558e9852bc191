"""``kmis unload`` and ``kmis report``: files where they are wanted, refusals in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from openpyxl import load_workbook
from typer.testing import CliRunner

from kmis.cli import exports as commands
from kmis.query import QueryService
from kmis.settings import Settings
from tests.kmis.query import small_lake
from tests.kmis.query.conftest import Place, open_place

JANUARY = ["--from", "2026-01-01", "--to", "31.01.2026"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("small_lake")
    opened = open_place(folder, small_lake.make(folder, visits=60))
    yield opened
    opened.service.close()


@pytest.fixture
def run(
    place: Place, settings: Settings, world: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[CliRunner, typer.Typer]]:
    """The commands over the small lake; the log and the organisations are the store's."""

    def service(_: Settings) -> QueryService:
        return place.service

    monkeypatch.setattr(commands, "QueryService", service)
    monkeypatch.setattr(place.service, "close", lambda: None)
    app = typer.Typer()
    commands.register(app)
    yield CliRunner(), app


def test_unload_writes_the_file_where_it_is_wanted(run: tuple[CliRunner, typer.Typer], tmp_path: Path) -> None:
    runner, app = run
    target = tmp_path / "new" / "mine.xlsx"
    done = runner.invoke(app, ["unload", "XLS-02", *JANUARY, "--filter", "sex=F", "-o", str(target)])
    assert done.exit_code == 0, done.output
    assert str(target) in done.output.replace("\n", "")
    assert "SHA-256" in done.output
    book = load_workbook(target)
    assert book.sheetnames[-1] == "Паспорт"
    assert [file.name for file in target.parent.iterdir()] == ["mine.xlsx"]


def test_report_into_a_folder_takes_its_own_name(run: tuple[CliRunner, typer.Typer], tmp_path: Path) -> None:
    runner, app = run
    command = ["report", "REP-02", *JANUARY, "--format", "docx", "--language", "ru", "-o", str(tmp_path)]
    done = runner.invoke(app, command)
    assert done.exit_code == 0, done.output
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("REP-02_prinyatye-patsienty_2026-01_")
    assert file.suffix == ".docx"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["report", "REP-01", *JANUARY, "--format", "odt"], "--format"),
        (["unload", "XLS-99", *JANUARY], "XLS-02"),
        (["unload", "XLS-02", "--from", "2026-02-01", "--to", "2026-01-01"], "to"),
        (["unload", "XLS-02", *JANUARY, "--organisation", "nowhere"], "nowhere"),
        (["unload", "XLS-02", *JANUARY, "--filter", "sex"], "dimension=key"),
        (["unload", "XLS-02", *JANUARY, "--filter", "planet=1"], "planet"),
        (["unload", "XLS-02", *JANUARY, "--as-of", "999"], "түсірілім"),
        (["unload", "XLS-02", *JANUARY, "--language", "en"], "kk"),
    ],
)
def test_refusals_are_words_and_leave_no_file(
    run: tuple[CliRunner, typer.Typer], tmp_path: Path, arguments: list[str], word: str
) -> None:
    runner, app = run
    done = runner.invoke(app, [*arguments, "-o", str(tmp_path)])
    assert done.exit_code == 2
    assert word in done.output
    assert list(tmp_path.iterdir()) == []
