"""The dbt models as assets, the source they read, and the publication they end in."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, dbt_assets

from pipelines.defs.lake.resources import Lake

BRONZE = dg.AssetKey(["bronze", "change"])
PUBLISHED = dg.AssetKey(["published"])


class ByLayer(DagsterDbtTranslator):
    """Groups models by the layer that their schema names. dbt's tests stand among the checks of ``checks.py``."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_asset_checks=False))

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The layer: staging, intermediate or marts."""
        return str(dbt_resource_props["schema"])


def model_keys(manifest: Mapping[str, Any]) -> dict[str, dg.AssetKey]:
    """The asset key of every table that dbt keeps, by the node's unique id."""
    return {
        unique_id: dg.AssetKey([node["schema"], node["name"]])
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] in ("model", "seed") and node["config"]["materialized"] != "ephemeral"
    }


def build_assets(manifest: Mapping[str, Any]) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Bronze, the models, and the publication, for the parsed project."""

    @dg.asset(key=BRONZE, group_name="bronze", description="The change feed as received, loaded exactly once.")
    def bronze(lake: Lake) -> dg.MaterializeResult[Any]:
        answer = lake.ask("refresh")
        return dg.MaterializeResult(metadata={"entries": answer.feed_rows, "snapshot": answer.snapshot_id or 0})

    @dbt_assets(manifest=manifest, dagster_dbt_translator=ByLayer())
    def models(context: dg.AssetExecutionContext, lake: Lake) -> Iterator[dg.Output[None]]:
        """Made anew from bronze by the writer, all together: readers see all of it or nothing."""
        answer = lake.ask("rebuild")
        for output in sorted(context.op_execution_context.selected_output_names):
            yield dg.Output(None, output_name=output, metadata={"snapshot": answer.snapshot_id or 0})

    marts = [key for key in model_keys(manifest).values() if key.path[0] == "marts"]
    published = dg.AssetSpec(
        PUBLISHED,
        deps=marts,
        group_name="published",
        description="The snapshot that every reader reads; one row in `published` after models and checks passed.",
    )
    return [bronze, models, published]
