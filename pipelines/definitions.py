"""Everything that Dagster shows and schedules. Passes are made by the writer; Dagster verifies, maintains, explains."""

from __future__ import annotations

import dagster as dg

from pipelines.defs.backup.schedules import build_backups
from pipelines.defs.devices.checks import device_gate, sources
from pipelines.defs.feed.checks import feed_gate
from pipelines.defs.lake.assets import build_assets
from pipelines.defs.lake.checks import build_checks
from pipelines.defs.lake.resources import Lake, manifest
from pipelines.defs.lake.schedules import build_jobs, maintenance, schedule


@dg.definitions
def defs() -> dg.Definitions:
    """Built when the code location is loaded: the dbt project is parsed then."""
    project = manifest()
    verification = build_checks(project)
    full, gate, devices = build_jobs(verification)
    backups, nightly = build_backups()
    return dg.Definitions(
        assets=[*build_assets(project), *sources],
        asset_checks=[verification, feed_gate, device_gate],
        jobs=[maintenance, full, gate, devices, *backups],
        schedules=[
            schedule(maintenance, "0 2 * * *"),
            schedule(full, "30 2 * * *"),
            schedule(gate, "0 4 * * *"),
            schedule(devices, "15 4 * * *"),
            *nightly,
        ],
        resources={"lake": Lake()},
        executor=dg.in_process_executor,
    )
