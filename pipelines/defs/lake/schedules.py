"""What happens at night, in the organisation's zone: upkeep, then verification, then the gate's long look."""

from __future__ import annotations

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from kmis.settings import get_settings
from pipelines.defs.devices.checks import device_gate
from pipelines.defs.feed.checks import feed_gate
from pipelines.defs.lake.resources import Lake

# Dagster gives jobs over assets a type that it does not export.
Job = dg.JobDefinition | UnresolvedAssetJobDefinition


@dg.op(description="Has the writer compact files, expire snapshots and delete files that nobody needs.")
def maintain(lake: Lake) -> None:
    lake.ask("maintenance")


@dg.job(description="Upkeep of the lake by its writer.")
def maintenance() -> None:
    maintain()


def build_jobs(verification: dg.AssetChecksDefinition) -> list[Job]:
    """The jobs that select checks, for the verification of the parsed project."""
    full = dg.define_asset_job(
        "full_verification_job",
        selection=dg.AssetSelection.checks(verification),
        description="Bronze against the feed, models against their rebuild, dbt tests, reconciliation.",
    )
    gate = dg.define_asset_job(
        "quality_gate_job",
        selection=dg.AssetSelection.checks(feed_gate),
        description="Great Expectations over what entered bronze in the last day.",
    )
    devices = dg.define_asset_job(
        "device_gate_job",
        selection=dg.AssetSelection.checks(device_gate),
        description="Great Expectations over what devices delivered in the last day.",
    )
    return [full, gate, devices]


def schedule(job: Job, cron: str) -> dg.ScheduleDefinition:
    """A schedule that runs from the start, in the organisation's zone."""
    return dg.ScheduleDefinition(
        job=job,
        cron_schedule=cron,
        execution_timezone=get_settings().timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
