"""``kmis live --measure``: what a play costs and whether all of it arrives.

While simulated users act through HTTP, MLLP and DICOM, a reader asks for DASH-01 as a page does, and each minute memory
and lake files are written to a CSV. After the last act: one refresh, reconciliation, and the journal against the store.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg

from kmis import supervisor
from kmis.bench.results import quantile
from kmis.bench.watching import GOAL_P95_S, GOAL_WORST_S, POLL_S, Watch
from kmis.settings import Settings

if TYPE_CHECKING:
    from operational.demo.live.journal import Entry
    from operational.demo.live.player import Plan, Tally

SAMPLE_S = 60.0
SIGNED = "visit.signed"
RECONCILE_S = 900.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a play came to. ``missing`` are acknowledged acts whose row does not exist, by kind."""

    plan: Plan
    tally: Tally
    watch: Watch
    entries: int
    missing: tuple[str, ...]
    reconciled: bool
    refresh: str
    samples: Path


class Sampler:
    """Writes memory of each part and the size of the lake to a CSV, each minute."""

    def __init__(self, settings: Settings, tally: Tally, file: Path) -> None:
        self.settings = settings
        self.tally = tally
        self.file = file
        self._start = time.monotonic()
        self._next = self._start
        file.parent.mkdir(parents=True, exist_ok=True)
        columns = [f"rss_mib_{part.name}" for part in supervisor.PARTS]
        self._write(["minute", "acts", "commits", *columns, "lake_files", "lake_mib", "serve_files", "serve_mib"], "w")

    def sample(self, *, now: bool = False) -> None:
        """Write a line when a minute has passed, or ``now``."""
        if time.monotonic() < self._next and not now:
            return
        self._next += SAMPLE_S
        states = supervisor.part_states(self.settings)
        memory = [str(_mib(states[part.name])) for part in supervisor.PARTS]
        sizes = [str(size) for folder in (self.settings.lake_dir, self.settings.serve_dir) for size in _size(folder)]
        done = sum(self.tally.done.values())
        minute = f"{(time.monotonic() - self._start) / 60:.1f}"
        self._write([minute, str(done), str(self.tally.commits), *memory, *sizes], "a")

    def _write(self, row: list[str], mode: str) -> None:
        with self.file.open(mode, encoding="utf-8", newline="") as target:
            csv.writer(target).writerow(row)


def _mib(pid: int | None) -> int:
    """Resident memory of a process and its children, in MiB; 0 when it is gone."""
    if pid is None:
        return 0
    try:
        process = psutil.Process(pid)
        return sum(each.memory_info().rss for each in (process, *process.children(recursive=True))) >> 20
    except psutil.Error:
        return 0


def _size(folder: Path) -> tuple[int, int]:
    """Files below a folder and their MiB; a file that goes meanwhile is not counted."""
    count = total = 0
    for path in folder.rglob("*"):
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        if path.is_file():
            count, total = count + 1, total + found.st_size
    return count, total >> 20


def run(settings: Settings, plan: Plan, stop: threading.Event, journal: Path, say: Callable[[str], None]) -> Outcome:
    """Play, watch, refresh, reconcile, look for losses. Raises NotPlayable, Stopped."""
    from kmis.cli_lake import one_pass
    from operational.demo.live.journal import missing, read_journal
    from operational.demo.live.player import Player

    say("one pass first: a writer that has just started still reads its models")
    one_pass(settings, lambda step: None)
    watch = _watch(settings)

    def heard(entry: Entry) -> None:
        if entry.act == SIGNED:
            watch.committed()

    player = Player(settings, plan, stop, journal, heard)
    sampler = Sampler(settings, player.tally, settings.run_dir / "live-measure.csv")
    over = threading.Event()

    def look() -> None:
        while not over.is_set() or (watch.unseen and time.monotonic() < deadline):
            watch.look()
            sampler.sample()
            time.sleep(POLL_S)

    deadline = float("inf")
    watcher = threading.Thread(target=look, name="live-watch", daemon=True)
    watcher.start()
    try:
        player.run(say)
    finally:
        deadline = time.monotonic() + GOAL_WORST_S * 2
        over.set()
        watcher.join()
    sampler.sample(now=True)
    answer = one_pass(settings, lambda step: None)
    watch.look()  # what came later than the limit has its delay too; what is not in the figure now is lost
    compared = subprocess.run(
        [sys.executable, "-m", "kmis", "reconcile"], env=supervisor.environment(settings), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=RECONCILE_S, check=False,
    )  # fmt: skip
    if compared.returncode:
        say(f"{compared.stdout}{compared.stderr}")
    entries = read_journal(journal)
    lost = missing(settings, entries)
    watch.close()
    return Outcome(
        plan, player.tally, watch, len(entries), tuple(f"{e.act} in {e.table}" for e in lost),
        compared.returncode == 0, f"{answer.state}, {answer.feed_rows} feed entries", sampler.file,
    )  # fmt: skip


def _watch(settings: Settings) -> Watch:
    """The figure of the demonstration's doctor. Raises NotPlayable without one."""
    from operational.demo.live.player import NotPlayable

    with psycopg.connect(settings.dsn("kmis_owner")) as store:
        row = store.execute(
            "select u.id, r.organisation_id from app_user u join practitioner_role r"
            " on r.practitioner_id = u.practitioner_id and r.valid_to is null where u.login = 'doctor'"
        ).fetchone()
    if row is None:
        raise NotPlayable("the user doctor is missing: run `kmis demo` first")
    return Watch(settings, int(row[0]), int(row[1]))


def report(found: Outcome) -> tuple[list[str], bool]:
    """Lines to print, and whether nothing was lost and the goals were reached."""
    watch, tally = found.watch, found.tally
    p50, p95, worst = (watch.quantile(share) for share in (0.5, 0.95, 1.0))
    fresh = bool(watch.delays) and watch.unseen == 0 and p95 <= GOAL_P95_S and worst <= GOAL_WORST_S
    whole = found.reconciled and not found.missing
    lines = [
        f"commit to figure, {len(watch.delays)} signed visits, {watch.unseen} not seen:"
        f" p50 {p50:.1f} s   p95 {p95:.1f} s (goal {GOAL_P95_S:.0f})   worst {worst:.1f} s (limit {GOAL_WORST_S:.0f})",
        f"acts {sum(tally.done.values())}, acknowledged commits {tally.commits}, errors {sum(tally.errors.values())},"
        f" unknown {sum(tally.unknown.values())}; lag p95 {quantile(tally.lag, 0.95):.1f} s,"
        f" worst {quantile(tally.lag, 1.0):.1f} s",
        f"last refresh: {found.refresh}; reconciliation: {'clean' if found.reconciled else 'DIFFERENT'}",
        f"journal: {found.entries} acknowledged acts, {len(found.missing)} missing in the store",
        *(f"  MISSING: {what}" for what in found.missing[:20]),
        f"memory and files by minute: {found.samples}",
        "goals reached" if fresh and whole else "GOALS MISSED",
    ]
    return lines, fresh and whole
