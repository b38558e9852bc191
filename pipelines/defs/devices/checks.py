"""The quality gate of the devices: Great Expectations over what they delivered, in a job of its own."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from kmis.clock import SystemClock
from pipelines.defs.lake.resources import Lake
from pipelines.lib.gate import look
from pipelines.lib.gates import DEVICES, MESSAGES, RESULTS, STUDIES

SAYS = {
    RESULTS.name: "Values that laboratory devices delivered, in the feed's last day.",
    MESSAGES.name: "Messages and objects of devices as they came, in the feed's last day.",
    STUDIES.name: "Studies that modalities delivered, in the feed's last day.",
}
KEYS = {gate.name: dg.AssetKey(["devices", gate.name.removeprefix("device_")]) for gate in DEVICES}

sources = [
    dg.AssetSpec(key, description=SAYS[name], group_name="devices", kinds={"postgres"}) for name, key in KEYS.items()
]


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(rule.name, asset=KEYS[gate.name], description=rule.says)
        for gate in DEVICES
        for rule in gate.rules
    ],
    name="device_gate",
    can_subset=False,
)
def device_gate(lake: Lake) -> Iterator[dg.AssetCheckResult]:
    """Great Expectations over what devices delivered; a rule that fails warns and refuses nothing."""
    for gate, outcome in look(lake.settings, SystemClock(), DEVICES).items():
        for name, passed in outcome.results.items():
            yield dg.AssetCheckResult(
                passed=passed,
                asset_key=KEYS[gate],
                check_name=name,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"entries": outcome.entries, "data_docs": dg.MetadataValue.path(str(outcome.docs))},
            )
