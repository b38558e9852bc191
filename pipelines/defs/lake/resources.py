"""What the definitions work with: the installation, and the writer that is asked for passes."""

from __future__ import annotations

import json
from typing import Any

import dagster as dg

from kmis.clock import SystemClock
from kmis.settings import Settings, get_settings
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.records import Kind
from pipelines.lib.requests import Answer, ask


class SilentReporter:
    """A pass that a Dagster run asks for is reported by that run; the writer reports those it makes itself."""

    def report(self, result: object) -> None:
        """Takes the result and leaves it to the run."""


class Lake(dg.ConfigurableResource[Any]):
    """The installation's lake. Dagster never writes to it: it asks the writer, which alone has the lock."""

    @property
    def settings(self) -> Settings:
        return get_settings()

    def ask(self, kind: Kind) -> Answer:
        """Has the writer make a pass and waits. Raises RequestFailed."""
        return ask(self.settings, SystemClock(), SilentReporter(), kind, asked_by="dagster")


def manifest() -> dict[str, Any]:
    """The parsed dbt project: Dagster draws the lineage from it. Parsing touches no database."""
    runner = DbtRunner(get_settings(), ":memory:kmis_dagster", target="dagster")
    runner.manifest()
    written: dict[str, Any] = json.loads((runner.target_folder / "manifest.json").read_text())
    return written
