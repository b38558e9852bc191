"""Full verification as asset checks: bronze, every model against its rebuild, every dbt test, reconciliation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from kmis.clock import SystemClock
from pipelines.defs.lake.assets import BRONZE, model_keys
from pipelines.defs.lake.resources import Lake
from pipelines.lib.compiled import compiled_project
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.readers import open_reader
from pipelines.lib.reconcile import reconcile
from pipelines.lib.verify import verify

EQUALS_FEED = "equals_the_feed"
EQUALS_REBUILD = "equals_its_rebuild"
RECONCILES = "reconciles"


def verification_specs(manifest: Mapping[str, Any]) -> list[dg.AssetCheckSpec]:
    """Every check that the nightly verification evaluates."""
    keys = model_keys(manifest)
    specs = [dg.AssetCheckSpec(EQUALS_FEED, asset=BRONZE, description="Bronze holds what the feed holds.")]
    for unique_id, key in keys.items():
        node = manifest["nodes"][unique_id]
        meta = node["config"].get("meta") or {}
        if not meta.get("transient"):
            specs.append(
                dg.AssetCheckSpec(EQUALS_REBUILD, asset=key, description="Equals its rebuild from the beginning.")
            )
        if "reconcile" in meta:
            specs.append(
                dg.AssetCheckSpec(RECONCILES, asset=key, description="Equals PostgreSQL at the same watermark.")
            )
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node.get("attached_node") in keys:
            specs.append(
                dg.AssetCheckSpec(node["name"], asset=keys[node["attached_node"]], description="dbt test, whole table.")
            )
    return specs


def build_checks(manifest: Mapping[str, Any]) -> dg.AssetChecksDefinition:
    """The verification of the parsed project."""
    by_name = {key.path[-1]: key for key in model_keys(manifest).values()}

    @dg.multi_asset_check(specs=verification_specs(manifest), name="full_verification", can_subset=False)
    def full_verification(lake: Lake) -> Iterator[dg.AssetCheckResult]:
        verified = verify(lake.settings)
        bronze = [finding for finding in verified.findings if finding.subject.startswith("bronze.")]
        yield dg.AssetCheckResult(
            passed=all(finding.ok for finding in bronze),
            asset_key=BRONZE,
            check_name=EQUALS_FEED,
            metadata={"different_tables": sum(not finding.ok for finding in bronze)},
        )
        for finding in verified.findings:
            if finding.subject in by_name:
                rebuilt = finding.what == "equals its rebuild"
                yield dg.AssetCheckResult(
                    passed=finding.ok,
                    asset_key=by_name[finding.subject],
                    check_name=EQUALS_REBUILD if rebuilt else finding.what,
                    severity=dg.AssetCheckSeverity.ERROR if finding.fails else dg.AssetCheckSeverity.WARN,
                    metadata={"rows": finding.differences, "snapshot": verified.snapshot_id},
                )
        with open_reader(lake.settings) as reader:
            project = compiled_project(DbtRunner(lake.settings, reader.instance, target="dagster"))
        for fact in reconcile(lake.settings, project, SystemClock()).facts:
            yield dg.AssetCheckResult(
                passed=fact.equal,
                asset_key=by_name[fact.fact],
                check_name=RECONCILES,
                metadata={"source_count": fact.source_count, "gold_count": fact.gold_count},
            )

    return full_verification
