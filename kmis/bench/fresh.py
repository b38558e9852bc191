"""``kmis bench fresh``: seconds from a signed visit's commit to the figure that counts it.

Visits are signed at a steady rate in this process, by the same service as the screens', while the running writer
refreshes; a reader asks the query service for DASH-01 of today, as a page does. The n-th visit counts as seen
when the figure has grown by n. Its peer is one refresh that makes every model anew, measured in the same run:
what a system without incremental models would take at best.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from kmis.bench.changes import Signer
from kmis.bench.homes import Say, running_demo
from kmis.bench.results import Goal, Result, quantile
from kmis.bench.watching import GOAL_P95_S, GOAL_WORST_S, POLL_S, Watch
from kmis.clock import SystemClock
from kmis.settings import Settings, get_settings
from kmis.supervisor import supervisor_pid


@dataclass(frozen=True, slots=True)
class Size:
    """Minutes of visits, visits a second, and the people of an installation that is made."""

    minutes: float = 5.0
    rate: float = 5.0
    population: int = 16_000
    years: int = 2


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds from commit to figure of every visit, in order; ``rebuild_s`` is one rebuild of every model."""

    delays: tuple[float, ...]
    unseen: int
    rebuild_s: float
    size: Size

    def quantile(self, share: float) -> float:
        """The delay that ``share`` of the visits did not exceed, in seconds."""
        return quantile(list(self.delays), share)


def run(size: Size, say: Say = lambda line: None, home: Path | None = None) -> Freshness:
    """Sign visits on the running installation, or on one that is made and started. Raises HomeFailed, NoPeople."""
    settings = get_settings()
    if home is None and supervisor_pid(settings) is not None:
        return measure(settings, size, say)
    with running_demo(size.population, size.years, say, home) as own:
        return measure(own, size, say)


def measure(settings: Settings, size: Size, say: Say = lambda line: None) -> Freshness:
    """Sign the visits and watch the figure; then one rebuild."""
    signer = Signer(settings)
    watch = Watch(settings, signer.doctor.user_id, signer.doctor.organisation_id)
    done = threading.Event()
    writer = threading.Thread(target=_sign_visits, args=(signer, watch, size, done), daemon=True)
    writer.start()
    said = time.monotonic()
    deadline = time.monotonic() + size.minutes * 60 + GOAL_WORST_S * 2
    while time.monotonic() < deadline and not (done.is_set() and not watch.unseen):
        watch.look()
        if time.monotonic() - said > 30:
            said = time.monotonic()
            say(f"  {watch.count} visits signed, {len(watch.seen)} in the figure")
        done.wait(POLL_S) if not done.is_set() else threading.Event().wait(POLL_S)
    writer.join()
    say("  one rebuild of every model, for comparison")
    rebuild = _rebuild_seconds(settings)
    watch.close()
    return Freshness(tuple(watch.delays), watch.unseen, rebuild, size)


def _sign_visits(signer: Signer, watch: Watch, size: Size, done: threading.Event) -> None:
    start = time.monotonic()
    pause = threading.Event()
    for number in range(int(size.minutes * 60 * size.rate)):
        pause.wait(max(0.0, start + number / size.rate - time.monotonic()))
        signer.sign(number)
        watch.committed()
    done.set()


def _rebuild_seconds(settings: Settings) -> float:
    from pipelines.lib.asset_events import AssetReporter
    from pipelines.lib.requests import ask

    reporter = AssetReporter(settings)
    start = time.monotonic()
    try:
        ask(settings, SystemClock(), reporter, "rebuild", asked_by="bench fresh")
    finally:
        reporter.close()
    return time.monotonic() - start


def report(found: Freshness) -> Result:
    """The result: p50, p95 and worst of the delays."""
    p50, p95, worst = found.quantile(0.5), found.quantile(0.95), found.quantile(1.0)
    size = found.size
    return Result(
        name="fresh",
        title="Seconds from the commit of a signed visit to the figure that counts it.",
        size=f"{len(found.delays)} visits at {size.rate:g} a second for {size.minutes:g} minutes",
        goals=(
            Goal("every visit is in the figure", f"{found.unseen} not seen", found.unseen == 0),
            Goal(f"p95 at most {GOAL_P95_S:.0f} s", f"{p95:.1f} s", p95 <= GOAL_P95_S),
            Goal(f"worst at most {GOAL_WORST_S:.0f} s", f"{worst:.1f} s", worst <= GOAL_WORST_S),
        ),
        peer="one refresh that makes every model anew, what a system without incremental models would take at best",
        ratio=f"{found.rebuild_s:.1f} s, {found.rebuild_s / max(p50, 0.001):.1f} times the p50",
        lines=(f"commit to figure: p50 {p50:.1f} s   p95 {p95:.1f} s   worst {worst:.1f} s",),
    )
