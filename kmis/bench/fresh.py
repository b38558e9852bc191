"""``kmis bench fresh``: seconds from a signed visit's commit to the figure that counts it.

Visits are signed at a steady rate in this process, by the same service as the screens', while the running writer
refreshes; a reader asks the query service for DASH-01 of today, as a page does. The n-th visit counts as seen
when the figure has grown by n. Its peer is one refresh that makes every model anew, measured in the same run:
what a system without incremental models would take at best.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from kmis.clock import SystemClock
from kmis.query import QueryService, Scope, Selection
from kmis.settings import Settings, get_settings
from kmis.supervisor import supervisor_pid

GOAL_P95_S = 10.0
GOAL_WORST_S = 60.0
POLL_S = 0.2
PATIENTS = 500


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds from commit to figure of every visit, in order; ``rebuild_s`` is one rebuild of every model."""

    delays: tuple[float, ...]
    unseen: int
    rebuild_s: float

    def quantile(self, share: float) -> float:
        """The delay that ``share`` of the visits did not exceed, in seconds."""
        ordered = sorted(self.delays)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


@dataclass(frozen=True, slots=True)
class _Doctor:
    user_id: int
    practitioner_id: int
    organisation_id: int


class NotUp(RuntimeError):
    """The benchmark needs a running installation with people in it."""


def _doctor(connection: psycopg.Connection[tuple[int, ...]]) -> _Doctor:
    row = connection.execute(
        "select u.id, u.practitioner_id, r.organisation_id from app_user as u"
        " join practitioner_role as r on r.practitioner_id = u.practitioner_id and r.valid_to is null"
        " where u.login = 'doctor'"
    ).fetchone()
    if row is None:
        raise NotUp("the benchmark signs visits as the demonstration's doctor: run `kmis demo` first")
    return _Doctor(*row)


def run(minutes: float, rate: float, say: Callable[[str], None] = lambda line: None) -> Freshness:
    """Sign ``rate`` visits a second for ``minutes``. Raises NotUp when nothing runs."""
    settings = get_settings()
    if supervisor_pid(settings) is None:
        raise NotUp("the benchmark measures a running installation: run `kmis demo` first")
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        doctor = _doctor(connection)
        patients = [
            int(row[0])
            for row in connection.execute(
                "select p.id from patient as p join patient_access as a on a.patient_id = p.id"
                " where a.organisation_id = %s and p.merged_into_id is null and p.voided_at is null"
                " and p.death_date is null order by p.id limit %s",
                (doctor.organisation_id, PATIENTS),
            )
        ]
    service = QueryService(settings)
    today = service.today()
    selection, scope = Selection(today, today), Scope(doctor.user_id, frozenset({doctor.organisation_id}))

    def figure() -> int:
        return int(service.figures("DASH-01", selection, scope, service.current().snapshot_id).value("visits") or 0)

    before = figure()
    committed: list[float] = []
    seen: list[float] = []
    done = threading.Event()
    writer = threading.Thread(
        target=_sign_visits, args=(settings, doctor, patients, committed, minutes * 60, rate, done), daemon=True
    )
    writer.start()
    said = time.monotonic()
    deadline = time.monotonic() + minutes * 60 + GOAL_WORST_S * 2
    while time.monotonic() < deadline and not (done.is_set() and len(seen) >= len(committed)):
        now_counted = min(figure() - before, len(committed))
        seen.extend([time.monotonic()] * (now_counted - len(seen)))
        if time.monotonic() - said > 30:
            said = time.monotonic()
            say(f"  {len(committed)} visits signed, {len(seen)} in the figure")
        done.wait(POLL_S) if not done.is_set() else threading.Event().wait(POLL_S)
    writer.join()
    say("  one rebuild of every model, for comparison")
    rebuild = _rebuild_seconds(settings)
    service.close()
    delays = tuple(at - committed[place] for place, at in enumerate(seen))
    return Freshness(delays, len(committed) - len(seen), rebuild)


def _sign_visits(
    settings: Settings, doctor: _Doctor, patients: list[int], committed: list[float], seconds: float, rate: float,
    done: threading.Event,
) -> None:  # fmt: skip
    from operational.domains.encounters.schemas import AddCondition, StartVisit, VisitText
    from operational.domains.encounters.service import Visits
    from operational.kit.access import Scope as Actor
    from operational.kit.db import transaction
    from operational.models import whole

    whole()
    actor = Actor(doctor.user_id, frozenset({doctor.organisation_id}), practitioner_id=doctor.practitioner_id)
    start = time.monotonic()
    pause = threading.Event()
    for number in range(int(seconds * rate)):
        pause.wait(max(0.0, start + number / rate - time.monotonic()))
        with transaction(settings, actor) as session:
            visits = Visits(session, SystemClock(), settings.zone)
            visit = visits.start(StartVisit(patient_id=patients[number % len(patients)]))
            visits.add_condition(visit.id, AddCondition(icd10_code="J06.9", character="acute"))
            visits.write(visit.id, VisitText(outcome="recovery", complaints="bench"))
            visits.sign(visit.id)
        committed.append(time.monotonic())
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


def report(found: Freshness) -> tuple[list[str], bool]:
    """Lines to print, and whether the goals were reached."""
    p50, p95, worst = found.quantile(0.5), found.quantile(0.95), found.quantile(1.0)
    met = found.unseen == 0 and p95 <= GOAL_P95_S and worst <= GOAL_WORST_S
    return [
        f"commit to figure, {len(found.delays)} visits, {found.unseen} not seen",
        f"  p50 {p50:.1f} s   p95 {p95:.1f} s (goal {GOAL_P95_S:.0f})   worst {worst:.1f} s (limit {GOAL_WORST_S:.0f})",
        f"  a rebuild of every model: {found.rebuild_s:.1f} s, {found.rebuild_s / max(p50, 0.001):.1f} times the p50",
        f"  {'goals reached' if met else 'GOALS MISSED'}",
    ], met
