"""A scratch lake (DuckLake over a file), the dbt project compiled once, and passes over it as the writer makes them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.cli.main import dbtRunner
from duckdb_extensions import import_extension

from pipelines.lib.compiled_pass import Held, run_models
from pipelines.lib.project import Project, compile_project
from tests.dbt.bronze_fixture import BRONZE, Store

PROJECT = Path(__file__).parents[2] / "dbt_project"
INSTANCE = ":memory:kmis_dbt_tests"
PROFILE = """
kmis:
  target: lake
  outputs:
    lake:
      type: duckdb
      path: "{instance}"
      database: lake
      schema: main
      threads: 1
      attach:
        - path: "ducklake:{folder}/catalogue.ducklake"
          alias: lake
          options: {{data_path: "{folder}/data"}}
"""


class ScratchRunner:
    """dbt over the scratch lake, with the interface that ``compile_project`` needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = PROJECT
        self._manifest: Any = None

    def manifest(self) -> Any:
        """The parsed project."""
        if self._manifest is None:
            self._manifest = self.invoke("parse").result
        return self._manifest

    def compile(self, from_xid: str, to_xid: str) -> list[Any]:
        """The compiled nodes."""
        self.manifest()
        return [result.node for result in self.invoke("compile", from_xid=from_xid, to_xid=to_xid).result.results]

    def invoke(self, command: str, *options: str, from_xid: object = 0, to_xid: object = 2**62) -> Any:
        """One dbt command over the batch; fails the test when dbt does."""
        for node in self._manifest.nodes.values() if self._manifest else ():
            # A run marks nodes as having their ephemeral parents injected; the next one would leave them out.
            if getattr(node, "extra_ctes_injected", False):
                node.extra_ctes_injected, node.extra_ctes = False, []
        outcome = dbtRunner(manifest=self._manifest).invoke([
            command, "--project-dir", str(PROJECT), "--profiles-dir", str(self.folder),
            "--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "log"), "--quiet",
            "--vars", json.dumps({"from_xid": from_xid, "to_xid": to_xid}), *options,
        ])  # fmt: skip
        failed = [f"{result.node.name}: {result.message}" for result in getattr(outcome.result, "results", [])
                  if result.status not in ("success", "pass", "skipped", "no-op")]  # fmt: skip
        assert outcome.success, "\n".join(failed) or str(outcome.exception)
        return outcome


class Lake:
    """The lake that a test reads, and the passes over it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, runner: ScratchRunner, project: Project) -> None:
        self.connection = connection
        self.runner = runner
        self.project = project
        self.done_xid = 0
        self.held = Held(connection, project.models)

    def load(self, store: Store, upto: int | None = None) -> None:
        """Loads the store's waiting changes (those of transactions up to ``upto``) and brings the models up to them."""
        top = store.load(self.connection, upto)
        touched = [str(row[0]) for row in self.rows(
            f"select distinct table_name from lake.bronze.change where xid > {self.done_xid}")]  # fmt: skip
        rebuilt = [] if self.done_xid else [model.name for model in self.project.models]
        self._pass(self.done_xid, top, touched, rebuilt)
        self.done_xid = top

    def rebuild(self) -> None:
        """Makes every model anew from bronze."""
        self._pass(0, self.done_xid, [], [model.name for model in self.project.models])

    def _pass(self, from_xid: int, to_xid: int, touched: list[str], rebuilt: list[str]) -> None:
        self.connection.begin()
        try:
            models = self.project.affected(touched, rebuilt)
            run_models(self.connection, models, from_xid, to_xid, rebuilt, held=self.held)
        except BaseException:
            self.connection.rollback()
            self.held.clear()
            raise
        self.connection.commit()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.connection.execute(sql).fetchall()

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table that outlives its batch, in one order."""
        return {model.name: self.rows(f"select * from {model.relation} order by all")
                for model in self.project.models if not model.transient}  # fmt: skip


@pytest.fixture(scope="session")
def scratch_lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """One lake for the session; ``lake`` empties it for each test."""
    folder = tmp_path_factory.mktemp("lake")
    (folder / "profiles.yml").write_text(PROFILE.format(instance=INSTANCE, folder=folder))
    os.environ.setdefault("KMIS_TIMEZONE", "Asia/Oral")
    connection = duckdb.connect(INSTANCE)
    for name in ("ducklake", "icu"):
        import_extension(name, con=connection)
        connection.execute(f"load {name}")
    connection.execute(f"attach 'ducklake:{folder}/catalogue.ducklake' as lake (data_path '{folder}/data')")
    runner = ScratchRunner(folder)
    yield Lake(connection, runner, compile_project(runner))  # type: ignore[arg-type]  # a runner of this lake
    connection.close()


def emptied(lake: Lake) -> Lake:
    """The lake without a row, for a test or for the tests of a module."""
    lake.done_xid = 0
    for schema in ("bronze", "staging", "intermediate", "marts"):
        lake.connection.execute(f"drop schema if exists lake.{schema} cascade")
    lake.connection.execute(BRONZE)
    for schema in ("staging", "intermediate", "marts"):
        lake.connection.execute(f"create schema lake.{schema}")
    return lake


@pytest.fixture
def lake(scratch_lake: Lake) -> Lake:
    """The scratch lake, empty."""
    return emptied(scratch_lake)
