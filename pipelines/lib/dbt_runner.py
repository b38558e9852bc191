"""dbt in this process: parsed once, compiled once, and run without a process of its own."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from kmis import lake
from kmis.settings import Settings
from pipelines.lib.errors import PassRefused

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
log = logging.getLogger(__name__)


class DbtFailed(PassRefused):
    """dbt could not parse, compile or build; the message names the nodes."""


class DbtRunner:
    """A warm dbtRunner.

    ``instance`` is the named DuckDB instance in which the lake is attached; ``target`` keeps the artefacts of
    processes that run at the same time apart.
    """

    def __init__(self, settings: Settings, instance: str, project: Path = PROJECT, target: str = "writer") -> None:
        self.settings = settings
        self.instance = instance
        self.project = project
        self.target_folder = settings.root / "dbt" / target
        self._manifest: Any = None

    def manifest(self) -> Any:
        """The parsed project. Raises DbtFailed."""
        if self._manifest is None:
            self._manifest = self._invoke(None, ["parse"]).result
        return self._manifest

    def compile(self, from_xid: str, to_xid: str) -> list[Any]:
        """The compiled nodes, models and tests, with these SQL expressions as the batch's bounds. Raises DbtFailed."""
        outcome = self._invoke(self.manifest(), ["compile", *_bounds(from_xid, to_xid)])
        return [result.node for result in outcome.result.results]

    def build(self, from_xid: int, to_xid: int, *options: str) -> list[tuple[str, str]]:
        """``dbt build``: models and whole-table tests. Gives (node, status) of each. Raises DbtFailed."""
        return self._run("build", *_bounds(str(from_xid), str(to_xid)), *options)

    def test(self, *options: str) -> list[tuple[str, str]]:
        """``dbt test`` over whole tables: gives (test, status) of each; a failed test is a status, not an error."""
        return self._run("test", *options, tolerate=True)

    def _run(self, *arguments: str, tolerate: bool = False) -> list[tuple[str, str]]:
        outcome = self._invoke(self.manifest(), list(arguments), tolerate=tolerate)
        return [(str(result.node.name), str(result.status)) for result in outcome.result.results]

    def _invoke(self, manifest: Any, arguments: list[str], *, tolerate: bool = False) -> Any:
        from dbt.cli.main import dbtRunner

        self._set_environment()
        _forget_injected(manifest)
        places = ["--project-dir", str(self.project), "--profiles-dir", str(PROJECT), "--quiet",
                  "--log-path", str(self.settings.log_dir / "dbt"), "--log-level-file", "warn"]  # fmt: skip
        outcome = dbtRunner(manifest=manifest).invoke([arguments[0], *places, *arguments[1:]])
        if outcome.success or (tolerate and outcome.result is not None):
            return outcome
        raise DbtFailed(f"dbt {arguments[0]}: {_failures(outcome)}")

    def _set_environment(self) -> None:
        """The profile reads these; dbt has no other way in."""
        os.environ.update(
            KMIS_LAKE_INSTANCE=self.instance,
            KMIS_LAKE_ATTACH=lake.catalogue_path(self.settings),
            KMIS_LAKE_DATA_PATH=str(lake.data_path(self.settings)),
            KMIS_TIMEZONE=self.settings.timezone,
            KMIS_DBT_TARGET=str(self.target_folder),
        )


def _bounds(from_xid: str, to_xid: str) -> list[str]:
    return ["--vars", json.dumps({"from_xid": from_xid, "to_xid": to_xid})]


def _failures(outcome: Any) -> str:
    failed = [
        str(result.node.name)
        for result in getattr(outcome.result, "results", None) or []
        if str(result.status) not in ("success", "pass", "warn", "skipped", "no-op")
    ]
    if failed:
        return ", ".join(failed)
    # Parsing and compiling touch no data: their messages quote the project only.
    return str(outcome.exception).strip().replace("\n", " ")[:500]


def _forget_injected(manifest: Any) -> None:
    """dbt notes in the manifest which ephemeral models it has injected; a second command must inject them anew."""
    for node in manifest.nodes.values() if manifest is not None else ():
        if getattr(node, "extra_ctes_injected", False):
            node.extra_ctes_injected, node.extra_ctes = False, []
