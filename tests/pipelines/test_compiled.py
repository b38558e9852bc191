"""The compiled project on disk: equal to what dbt compiles, and made anew when a source changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.lib import compiled
from pipelines.lib.compiled import compiled_project, digest
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.project import Project
from pipelines.lib.workshop import Workshop
from tests.pipelines.conftest import PROJECT, Installation


def test_a_kept_project_is_the_compiled_one_until_a_source_changes(
    installation: Installation, workshop: Workshop, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shutil.copytree(PROJECT, tmp_path / "project")
    runner = DbtRunner(installation.settings, workshop.instance, source)
    monkeypatch.setattr(compiled, "compile_project", lambda _: project)
    assert compiled_project(runner) == project
    monkeypatch.setattr(compiled, "compile_project", lambda _: Project(()))
    assert compiled_project(runner) == project, "it comes out of its file"
    kept = installation.settings.root / "dbt" / "compiled" / f"{digest(runner)}.json"
    kept.write_text(kept.read_text(encoding="utf-8")[:-10], encoding="utf-8")
    assert compiled_project(runner) == Project(()), "a file that is cut short is made anew"
    before = digest(runner)
    model = next(source.rglob("fct_visit.sql"))
    model.write_text(model.read_text(encoding="utf-8") + "\n-- changed", encoding="utf-8")
    assert digest(runner) != before


def test_only_the_newest_files_are_kept(installation: Installation, workshop: Workshop) -> None:
    folder = installation.settings.root / "dbt" / "compiled"
    for number in range(2 * compiled.KEPT):
        compiled._keep(folder / f"{number}.json", Project(()))
    assert len(list(folder.iterdir())) == compiled.KEPT
