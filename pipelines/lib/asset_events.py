"""Reports passes to Dagster as asset events, without a run: lineage and freshness stand in its UI.

Dagster is imported and written to on a thread of its own, so that a pass never waits for it; an event that cannot be
written is logged, and the pass stands.
"""

from __future__ import annotations

import logging
import queue
import threading
from dataclasses import dataclass

from kmis.settings import Settings
from pipelines.lib.errors import safe_text
from pipelines.lib.passes import PassResult
from pipelines.lib.reconcile import Reconciled

log = logging.getLogger(__name__)
BRONZE_KEY = ("bronze", "change")
PUBLISHED_KEY = ("published",)


@dataclass(frozen=True, slots=True)
class AssetEvent:
    """One materialization; metadata are numbers and short texts."""

    key: tuple[str, ...]
    metadata: dict[str, int | float | str]


def events_of(result: PassResult) -> list[AssetEvent]:
    """What a pass materialized: bronze, the changed models, the publication."""
    common: dict[str, int | float | str] = {"pass": result.pass_id, "to_xid": result.to_xid}
    events = []
    if result.entries:
        events.append(AssetEvent(BRONZE_KEY, {"entries": result.entries, "from_xid": result.from_xid, **common}))
    events += [
        AssetEvent((change.model.schema, change.model.name), {"rows": change.rows, **common})
        for change in result.changes
    ]
    seconds = {f"seconds_{step}": value for step, value in result.seconds.items()}
    events.append(AssetEvent(PUBLISHED_KEY, {"snapshot": result.publication.snapshot_id, **common, **seconds}))
    return events


class AssetReporter:
    """A thread that writes asset events. ``close`` waits until what was given to it is written."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._events: queue.Queue[PassResult | Reconciled | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="asset events", daemon=True)
        self._thread.start()

    def report(self, result: PassResult | Reconciled) -> None:
        """Takes a pass or a reconciliation; returns at once."""
        self._events.put(result)

    def close(self, seconds: float = 30.0) -> None:
        """Ends the thread after it has written everything, or after that many seconds."""
        self._events.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        # Importing Dagster takes seconds; the writer's first pass does not wait for it.
        from dagster import AssetCheckEvaluation, AssetCheckSeverity, AssetKey, AssetMaterialization, DagsterInstance

        self._settings.dagster_home.mkdir(parents=True, exist_ok=True)
        with DagsterInstance.from_config(str(self._settings.dagster_home)) as instance:
            while (result := self._events.get()) is not None:
                try:
                    if isinstance(result, PassResult):
                        for event in events_of(result):
                            instance.report_runless_asset_event(
                                AssetMaterialization(asset_key=AssetKey(event.key), metadata=event.metadata)
                            )
                        continue
                    for fact in result.facts:
                        instance.report_runless_asset_event(
                            AssetCheckEvaluation(
                                asset_key=AssetKey(("marts", fact.fact)),
                                check_name="reconciles",
                                passed=fact.equal,
                                severity=AssetCheckSeverity.ERROR,
                                metadata={
                                    "source_count": fact.source_count,
                                    "gold_count": fact.gold_count,
                                    "snapshot": result.snapshot_id,
                                },
                            )
                        )
                except Exception as error:
                    log.warning("asset event not written: %s", safe_text(error))
