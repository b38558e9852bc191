"""The serving files of what is published, made anew where they are missing: they are in no backup."""

from __future__ import annotations

from kmis.clock import Clock
from kmis.settings import Settings
from pipelines.lib.compiled import compiled_project
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.passes import Passes
from pipelines.lib.workshop import open_workshop


def serve_published(settings: Settings, clock: Clock) -> bool:
    """Makes the file; False where the next pass does. Raises WriterBusy when a writer runs, DbtFailed."""
    with open_workshop(settings, clock) as workshop:
        return Passes(workshop, compiled_project(DbtRunner(settings, workshop.instance))).serve()
