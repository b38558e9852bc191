"""The quality gate of the feed: Great Expectations over what entered bronze, as asset checks with Data Docs.

Great Expectations takes seconds and hundreds of megabytes to import, so it lives in this job and nowhere else. It
sees keys, codes and yes/no columns only, and results are BOOLEAN_ONLY: no value can reach a result or a page.
"""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from kmis.clock import SystemClock
from pipelines.defs.lake.resources import Lake
from pipelines.lib.gate import look
from pipelines.lib.gates import FEED

BRONZE = dg.AssetKey(["bronze", "change"])


@dg.multi_asset_check(
    specs=[dg.AssetCheckSpec(rule.name, asset=BRONZE, description=rule.says) for rule in FEED.rules],
    name="feed_gate",
    can_subset=False,
)
def feed_gate(lake: Lake) -> Iterator[dg.AssetCheckResult]:
    """Great Expectations over the newest bronze entries."""
    outcome = look(lake.settings, SystemClock(), [FEED])[FEED.name]
    for name, passed in outcome.results.items():
        yield dg.AssetCheckResult(
            passed=passed,
            asset_key=BRONZE,
            check_name=name,
            metadata={"entries": outcome.entries, "data_docs": dg.MetadataValue.path(str(outcome.docs))},
        )
