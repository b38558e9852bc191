"""Reports passes to Dagster as asset events, without a run: lineage and freshness stand in its UI.

Dagster is imported and written to on a thread of its own, so that a pass never waits for it; an event that cannot be
written is logged, and the pass stands.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from dataclasses import dataclass

from kmis.settings import Settings
from pipelines.lib.errors import safe_text
from pipelines.lib.passes import PassResult
from pipelines.lib.reconcile import Reconciled

log = logging.getLogger(__name__)
BRONZE_KEY = ("bronze", "change")
PUBLISHED_KEY = ("published",)
EVERY_SECONDS = 60.0


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


class Thinned:
    """Of each asset at most one event a minute; the newest waits for its turn.

    An event costs Dagster 3.1 kB and some ten milliseconds: with twenty to a pass and a pass each ten seconds its
    store would grow by half a gigabyte a day.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[str, ...], AssetEvent] = {}
        self._at: dict[tuple[str, ...], float] = {}

    def put(self, event: AssetEvent) -> None:
        """Takes an event in place of an older one of the asset."""
        self._held[event.key] = event

    def due(self, now: float, *, everything: bool = False) -> list[AssetEvent]:
        """Gives out what may be written now, in seconds of any steady clock."""
        ready = [key for key in self._held if everything or key not in self._at or now - self._at[key] >= EVERY_SECONDS]
        self._at.update(dict.fromkeys(ready, now))
        return [self._held.pop(key) for key in ready]


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
        # Importing Dagster takes seconds: no pass waits for it, and who has nothing to report goes without.
        waiting = [self._events.get()]
        if waiting == [None]:
            return
        from dagster import AssetCheckEvaluation, AssetCheckSeverity, AssetKey, AssetMaterialization, DagsterInstance

        self._settings.dagster_home.mkdir(parents=True, exist_ok=True)
        thinned = Thinned()
        going = True
        with DagsterInstance.from_config(str(self._settings.dagster_home)) as instance:
            while going:
                checks: list[AssetCheckEvaluation] = []
                try:
                    result = waiting.pop() if waiting else self._events.get(timeout=EVERY_SECONDS)
                except queue.Empty:
                    pass
                else:
                    going = result is not None
                    if isinstance(result, PassResult):
                        for event in events_of(result):
                            thinned.put(event)
                    elif result is not None:
                        checks = [
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
                            for fact in result.facts
                        ]
                events = [
                    AssetMaterialization(asset_key=AssetKey(event.key), metadata=event.metadata)
                    for event in thinned.due(time.monotonic(), everything=not going)
                ]
                try:
                    for materialized in events:
                        instance.report_runless_asset_event(materialized)
                    for check in checks:
                        instance.report_runless_asset_event(check)
                except Exception as error:
                    log.warning("asset event not written: %s", safe_text(error))
