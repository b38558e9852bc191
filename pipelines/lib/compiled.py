"""The compiled project kept on disk, so that a writer that was killed works again in seconds.

Parsing and compiling cost most of a writer's start. What they give depends on the project's files, the releases of dbt
and this code, and the time zone alone; a file whose name is the digest of all these holds it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.lib import project as compiling
from pipelines.lib.dbt_runner import PROJECT, DbtRunner
from pipelines.lib.project import Check, Model, Project, Reconciliation, compile_project

# What dbt writes beside the sources.
MADE = frozenset({"target", "logs", "dbt_packages"})
RELEASES = ("dbt-core", "dbt-duckdb", "duckdb")
KEPT = 4
log = logging.getLogger(__name__)


def compiled_project(runner: DbtRunner) -> Project:
    """The compiled project, out of its file where one fits. Raises DbtFailed, ModelUnsupported."""
    file = runner.settings.root / "dbt" / "compiled" / f"{digest(runner)}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        project = Project(tuple(_model(entry) for entry in json.loads(file.read_text(encoding="utf-8"))))
        file.touch()
        return project
    project = compile_project(runner)
    try:
        _keep(file, project)
    except OSError as error:
        log.warning("the compiled project was not kept: errno %s", error.errno)
    return project


def digest(runner: DbtRunner) -> str:
    """A digest of everything that the compiled project depends on."""
    found = hashlib.sha256(repr([runner.settings.timezone, str(runner.project), *map(version, RELEASES)]).encode())
    own = [Path(__file__), Path(str(compiling.__file__)), PROJECT / "profiles.yml"]
    for path in (*sorted(_sources(runner.project)), *own):
        found.update(f"\0{path}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def _sources(folder: Path) -> list[Path]:
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in MADE]
        found += [Path(place) / name for name in names]
    return found


def _keep(file: Path, project: Project) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps([asdict(model) for model in project.models], default=sorted), encoding="utf-8")
    draft.replace(file)
    for old in sorted(file.parent.iterdir(), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        old.unlink(missing_ok=True)


def _model(entry: Mapping[str, Any]) -> Model:
    reconciliation = entry["reconciliation"]
    return Model(
        **dict(entry)
        | {
            "keys": tuple(entry["keys"]),
            "parents": tuple(entry["parents"]),
            "feed_tables": frozenset(entry["feed_tables"]),
            "checks": tuple(Check(**check) for check in entry["checks"]),
            "reconciliation": Reconciliation(**reconciliation) if reconciliation else None,
        }
    )
