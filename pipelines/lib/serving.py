"""The serving file of what is published, made anew where it is missing: serving files are in no backup."""

from __future__ import annotations

from kmis import lake
from kmis.clock import Clock
from kmis.settings import Settings
from pipelines.lib.compiled import compiled_project
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.passes import read_built
from pipelines.lib.publish import Publisher, newest_publication
from pipelines.lib.workshop import open_workshop


def serve_published(settings: Settings, clock: Clock) -> bool:
    """Makes the serving file of the newest publication. False where the next pass makes it anyway.

    That is when nothing is published yet, when the lake is ahead of the publication, or when models have changed
    since it was built. Raises WriterBusy when a writer runs, DbtFailed when the project cannot be compiled.
    """
    with open_workshop(settings, clock) as workshop:
        built, newest = read_built(workshop), newest_publication(workshop)
        if built is None or newest is None or newest.snapshot_id != lake.current_snapshot(workshop.lake):
            return False
        project = compiled_project(DbtRunner(settings, workshop.instance))
        rows = workshop.lake.execute("select name, checksum from lake.bronze.model").fetchall()
        known = {str(name): str(checksum) for name, checksum in rows}
        if project.outdated(known) or set(known) - {model.name for model in project.models}:
            return False
        Publisher(workshop, project.served).publish(built, None, clock.now())
    return True
