"""The warm process that alone writes to the lake: polls the feed, answers requests, keeps the lake in order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Protocol, cast

import duckdb
import psycopg

from kmis.clock import Clock, SystemClock
from kmis.settings import Settings
from pipelines.lib import feed, feed_months, loader, maintenance
from pipelines.lib.compiled import compiled_project
from pipelines.lib.compiled_pass import Change
from pipelines.lib.dbt_runner import DbtRunner
from pipelines.lib.errors import EngineLost, PassRefused, WriterBusy, safe_text
from pipelines.lib.lake_state import Keeper
from pipelines.lib.passes import Passes, PassResult, read_built
from pipelines.lib.project import Project
from pipelines.lib.publish import KEPT_FILES, newest_publication
from pipelines.lib.reconcile import NothingToReconcile, Reconciled, reconcile
from pipelines.lib.records import Kind, PassRecord
from pipelines.lib.verify import verify
from pipelines.lib.workshop import Workshop, open_workshop

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
RECONCILE_SECONDS = 60.0
# A transaction older than this keeps the watermark back, and with it every figure.
STALE_SECONDS = 60.0
# While the storage budget runs out, snapshots are expired this often and not at night only.
TIGHT_UPKEEP_SECONDS = 3600.0


class Reporter(Protocol):
    """Takes what a pass or a reconciliation did."""

    def report(self, result: PassResult | Reconciled) -> None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """A row of ``pass_request`` that the writer has taken."""

    id: int
    kind: Kind


class Writer:
    """One writer in one workshop. ``run`` returns when ``stop`` is set, or raises when it cannot go on."""

    def __init__(self, workshop: Workshop, project: Project, reporter: Reporter) -> None:
        self.workshop = workshop
        self.project = project
        self.passes = Passes(workshop, project)
        self.reporter = reporter
        self.keeper = Keeper(workshop)
        self._failures = 0
        self._retry_at = 0.0
        self._unseen = True
        self._upkeep_at = self._now()
        self._watermark_xid = 0
        # What another process published before this one started may not have been reconciled yet.
        self._unreconciled = True
        self._reconciled_at = 0.0
        self._reconciler: threading.Thread | None = None
        self._oldest: tuple[int, str] | None = None
        self._oldest_seen_at = 0.0
        self._alarmed = False

    def run(self, stop: threading.Event) -> None:
        """Polls until ``stop`` is set. Raises WriterBusy when the session with the lock ends, EngineLost."""
        release_requests(self.workshop)
        while not stop.wait(0 if self.step() else POLL_SECONDS):
            pass
        if self._reconciler is not None:
            self._reconciler.join()

    def step(self) -> bool:
        """One turn: a waiting request, or a pass if something is pending, or upkeep. Whether there was work.

        Raises WriterBusy, EngineLost.
        """
        try:
            self.keeper.tell_when_due(self.passes.wear.most, self._failures)
            request = take_request(self.workshop, verifies=not self._reading())
            if request is not None:
                self._answer(request)
            elif self._now() >= self._retry_at and (self._unseen or self._pending()):
                self._attempt(self._refresh)
            elif self._tight() and self._now() >= max(self._retry_at, self._upkeep_at + TIGHT_UPKEEP_SECONDS):
                self._attempt(self._upkeep)
            else:
                self._reconcile_when_due()
                self._alarm_when_stale()
                return False
            return True
        except psycopg.OperationalError as error:
            raise WriterBusy(f"the store's session ended: {safe_text(error)}") from None

    def _answer(self, request: Request) -> None:
        work: Callable[[], int | None]
        if request.kind == "verification":
            self._start_reading(lambda: self._verify(request))
            return
        if request.kind == "maintenance":
            work = lambda: self._upkeep(thorough=True)  # noqa: E731  # one of two bodies, chosen here
        else:
            work = lambda: self._refresh(rebuild=request.kind == "rebuild")  # noqa: E731  # one of two bodies, chosen here
        try:
            pass_id = work()
        except WriterBusy:
            raise
        except Exception as error:
            finish_request(self.workshop, request, "failed", None, safe_text(error))
            self._failed()
        else:
            finish_request(self.workshop, request, "done", pass_id, None)

    def _attempt(self, work: Callable[[], object]) -> None:
        try:
            work()
        except WriterBusy:
            raise
        except Exception as error:
            # Recorded in lake_pass already; the writer lives on and tries again, less and less often.
            log.error("will try again: %s", safe_text(error))
            self._failed()

    def _failed(self) -> None:
        """Notes when to try again. Raises EngineLost where that would be in vain."""
        try:
            self.workshop.lake.execute("select 1")
        except duckdb.Error as error:
            raise EngineLost(
                f"DuckDB answers no more ({type(error).__name__}); the writer has to be started anew"
            ) from None
        self._retry_at = self._now() + RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS) - 1)]
        self._failures += 1

    def _refresh(self, *, rebuild: bool = False) -> int | None:
        if self._watermark_xid == 0:
            self._refuse_gap()
        if rebuild and self.keeper.level == "critical":
            raise PassRefused("95 % of the storage budget is used: nothing is made anew before there is room")
        self.passes.publisher.kept_files = 1 if self.keeper.level == "critical" else KEPT_FILES
        self._unseen = True
        result = self.passes.refresh(rebuild=rebuild)
        watermark = loader.read_watermark(self.workshop.lake)
        self._watermark_xid = watermark.xid if watermark else 0
        self._unseen, self._failures = False, 0
        if result is None:
            return None
        self._unreconciled = True
        self.reporter.report(result)
        return result.pass_id

    def _refuse_gap(self) -> None:
        try:
            feed_months.refuse_gap(self.workshop)
        except PassRefused as error:
            PassRecord(self.workshop, "refresh").fail(error)
            raise

    def _pending(self) -> bool:
        return feed.pending(self.workshop.store, self._watermark_xid, limit=1) is not None

    def _tight(self) -> bool:
        return self.keeper.level != "normal"

    def _upkeep(self, *, thorough: bool = False) -> int | None:
        """Makes room, and with ``thorough`` compacts everything, which takes room until the next day."""
        self._upkeep_at = self._now()
        record = PassRecord(self.workshop, "maintenance")
        pass_id = record.open()
        try:
            record.step("expire")
            upkeep = maintenance.expire(self.workshop, tight=self._tight())
            record.mark("expire")
            record.step("tidy")
            upkeep = replace(upkeep, months=maintenance.keep_house(self.workshop))
            record.mark("tidy")
            if thorough:
                record.step("compact")
                compacted = self.passes.compact()
                upkeep = replace(upkeep, failed=compacted.failed, files_after=compacted.files_after)
                record.mark("compact")
            built = read_built(self.workshop)
            record.step("publish")
            as_built = self.passes.published_as_built(newest_publication(self.workshop))
            changes: tuple[Change, ...] | None = () if as_built else None
            published = self.passes.publisher.publish(built, changes, record.started_at) if built else None
            record.mark("publish")
            self._unreconciled = True
            detail: dict[str, object] = asdict(upkeep)
            record.finish("done", published.snapshot_id if published else None, 0, detail)
        except Exception as error:
            record.fail(error)
            raise
        return pass_id

    def _reconcile_when_due(self) -> None:
        if self._reading() or not self._unreconciled or self._now() - self._reconciled_at < RECONCILE_SECONDS:
            return
        self._unreconciled, self._reconciled_at = False, self._now()
        self._start_reading(self._reconcile)

    def _reading(self) -> bool:
        """Whether a reconciliation or a verification is under way; it has connections of its own."""
        return self._reconciler is not None and self._reconciler.is_alive()

    def _start_reading(self, work: Callable[[], None]) -> None:
        self._reconciler = threading.Thread(target=work, name="reconciliation")
        self._reconciler.start()

    def _verify(self, request: Request) -> None:
        try:
            result = verify(self.workshop.settings, self.project, self.workshop.clock)
        except Exception as error:
            finish_request(self.workshop, request, "failed", None, safe_text(error))
            return
        self._reconcile()
        wrong = sum(not finding.ok and finding.fails for finding in result.findings)
        state, error_text = ("failed", f"{wrong} comparisons differ") if wrong else ("done", None)
        finish_request(self.workshop, request, state, result.pass_id, error_text)

    def _reconcile(self) -> None:
        try:
            result = reconcile(self.workshop.settings, self.project, self.workshop.clock)
        except NothingToReconcile as error:
            log.info("%s", error)
        except Exception as error:
            log.error("reconciliation failed: %s", safe_text(error))
        else:
            self.reporter.report(result)
            for fact in result.facts:
                if not fact.equal:
                    log.error("%s differs at snapshot %s", fact.fact, result.snapshot_id)

    def _alarm_when_stale(self) -> None:
        oldest = feed.oldest_transaction(self.workshop.store)
        if oldest is None or oldest != self._oldest:
            self._oldest, self._oldest_seen_at = oldest, self._now()
            # What the alarm had marked is marked anew by the next reconciliation.
            self._unreconciled, self._alarmed = self._unreconciled or self._alarmed, False
        if oldest is None or self._now() - self._oldest_seen_at < STALE_SECONDS:
            return
        if not self._alarmed:
            log.error("the watermark is held back for over %.0f s by session %s", STALE_SECONDS, oldest[0])
        self._alarmed = True
        # Again in each turn: upkeep publishes, and a reconciliation writes its own state.
        self.workshop.store.execute(
            "update published set state = 'stale' where id = (select max(id) from published) and state <> 'stale'"
        )

    def _now(self) -> float:
        return self.workshop.clock.now().timestamp()


def run_writer(settings: Settings, reporter: Reporter, stop: threading.Event, clock: Clock | None = None) -> None:
    """Opens the lake, compiles the project and writes until ``stop`` is set. Raises WriterBusy, DbtFailed."""
    with open_workshop(settings, clock or SystemClock()) as workshop:
        project = compiled_project(DbtRunner(settings, workshop.instance))
        log.info("writer ready: %s models", len(project.models))
        Writer(workshop, project, reporter).run(stop)


def release_requests(workshop: Workshop) -> None:
    """Gives back what a writer that died had taken; the caller holds the lock, so nobody works on it."""
    workshop.store.execute("update pass_request set state = 'waiting' where state = 'running'")
    workshop.store.execute(
        "update lake_pass set state = 'failed', finished_at = %s, error = 'the writer ended' where state = 'running'",
        (workshop.clock.now(),),
    )


def take_request(workshop: Workshop, *, verifies: bool = False) -> Request | None:
    """The oldest waiting request, marked as running. None: nobody waits. A verification waits unless ``verifies``."""
    row = workshop.store.execute(
        "update pass_request set state = 'running' where id = (select min(id) from pass_request"
        " where state = 'waiting' and (kind <> 'verification' or %s)) returning id, kind",
        (verifies,),
    ).fetchone()
    return None if row is None else Request(int(str(row[0])), cast(Kind, row[1]))


def finish_request(workshop: Workshop, request: Request, state: str, pass_id: int | None, error: str | None) -> None:
    """Tells the one who asked."""
    workshop.store.execute(
        "update pass_request set state = %s, pass_id = %s, error = %s, finished_at = %s where id = %s",
        (state, pass_id, error, workshop.clock.now(), request.id),
    )
