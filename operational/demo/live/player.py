"""The play: acts begin by a fixed schedule, whatever the installation does, so a slow one shows as lag.

The player ends only when it is told to. A server that is gone is waited for; what was sent and not answered is counted
as unknown and left alone.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, TypeVar

from kmis.clock import Clock, SystemClock
from kmis.settings import Settings
from operational.demo.live.acts import ACTS, Mix
from operational.demo.live.devices import Devices
from operational.demo.live.journal import Heard, Journal
from operational.demo.live.speaking import Api, NoAnswer, Nobody, Patience, Refused, Stopped
from operational.demo.live.stage import Play, Stage, Store, users_of

LOGINS: Final = ("doctor", "registrar", "ward", "nurse", "obstetrician", "lab", "xray")
FALLBACK: Final = "visit"
DRAWS: Final = 5
SAYS_S: Final = 30.0
DRAIN_S: Final = 60.0
Key = TypeVar("Key")


class NotPlayable(RuntimeError):
    """The installation holds no demonstration."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to play: acts a second, seconds (None: until stopped), the seed; ``every_kind``: each kind comes first."""

    rate: float = 1.0
    seconds: float | None = None
    seed: int = 1
    every_kind: bool = False


class Tally:
    """What became of the acts, by kind; ``lag`` is how late acts began, in seconds."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        self.errors: Counter[tuple[str, str]] = Counter()
        self.nobody: Counter[str] = Counter()
        self.commits = 0
        self.lag: list[float] = []
        self.lock = threading.Lock()

    def lines(self, retries: int, lag: float) -> list[str]:
        """The state in a few lines; kinds and counts only. ``lag``: how long the next act waits already, in seconds."""
        with self.lock:
            lines = [
                f"{sum(self.done.values())} acts, {self.commits} acknowledged commits, lag {lag:.1f} s"
                f" (worst {max(self.lag, default=0.0):.1f}), {retries} retries, {sum(self.unknown.values())} unknown,"
                f" {sum(self.errors.values())} errors",
                "  done: " + ", ".join(f"{kind} {count}" for kind, count in sorted(self.done.items())),
            ]
            lines += [f"  unknown: {kind} {count}" for kind, count in sorted(self.unknown.items())]
            lines += [f"  error: {kind} {count} x {what}" for (kind, what), count in sorted(self.errors.items())]
            return lines


class Player:
    """Plays against one running installation."""

    def __init__(
        self, settings: Settings, plan: Plan, stop: threading.Event, journal: Path, heard: Heard | None = None,
        clock: Clock | None = None,
    ) -> None:  # fmt: skip
        """``heard`` is told of each entry as it is acknowledged. Raises NotPlayable, Stopped."""
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
        self.plan = plan
        self.stop = stop
        self.tally = Tally()
        self.patience = Patience(stop)
        self.mix = Mix()
        store = Store(settings, self.patience)
        users = users_of(store, LOGINS)
        if missing := set(LOGINS) - set(users):
            raise NotPlayable(f"the users {', '.join(sorted(missing))} are missing: run `kmis demo` first")
        self.play = Play(
            settings, clock or SystemClock(), Api(settings, self.patience), Devices(settings, self.patience), store,
            Journal(journal, heard), users,
        )  # fmt: skip
        self._queue: queue.SimpleQueue[tuple[int, float] | None] = queue.SimpleQueue()
        self._start = time.monotonic()

    def run(self, say: Callable[[str], None] = lambda line: None) -> Tally:
        """Play until the plan's end or until stopped."""
        workers = [
            threading.Thread(target=self._work, name=f"live-{number}", daemon=True)
            for number in range(max(4, min(32, round(self.plan.rate * 2))))
        ]
        for worker in workers:
            worker.start()
        try:
            self._schedule(say)
        finally:
            for _ in workers:
                self._queue.put(None)
            deadline = time.monotonic() + DRAIN_S
            for worker in workers:
                worker.join(max(0.1, deadline - time.monotonic()))
            self.stop.set()
            self._say(say)
            self.play.api.close()
            self.play.store.close()
        return self.tally

    def _schedule(self, say: Callable[[str], None]) -> None:
        start = said = self._start = time.monotonic()
        number = 0
        while self.plan.seconds is None or number < self.plan.seconds * self.plan.rate:
            due = start + number / self.plan.rate
            while (left := min(due, said + SAYS_S) - time.monotonic()) > 0 or due > time.monotonic():
                if self.stop.wait(max(left, 0.0)):
                    return
                if time.monotonic() >= said + SAYS_S:
                    said = time.monotonic()
                    self._say(say)
            if self.stop.is_set():
                return
            self._queue.put((number, due))
            number += 1

    def _say(self, say: Callable[[str], None]) -> None:
        due = self._start + len(self.tally.lag) / self.plan.rate
        lag = 0.0 if self._queue.empty() else max(0.0, time.monotonic() - due)
        for line in self.tally.lines(self.patience.retries, lag):
            say(line)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            if self.stop.is_set():
                return
            number, due = item
            with self.tally.lock:
                self.tally.lag.append(max(0.0, time.monotonic() - due))
            try:
                self._act(number)
            except Stopped:
                return

    def _act(self, number: int) -> None:
        """One act: of the drawn kind, or of another while there is nobody whom it could be about."""
        rng = Random(f"{self.plan.seed}:{number}")  # noqa: S311  # repeatable by the seed; no secret is drawn from it
        for kind in self._kinds(rng):
            stage = Stage(self.play, rng, number)
            try:
                ACTS[kind](stage)
            except Nobody:
                with self.tally.lock:
                    self.tally.nobody[kind] += 1
                    self.tally.commits += len(stage.entries)
                continue
            except NoAnswer:
                self._count(stage, self.tally.unknown, kind)
            except Refused as refusal:
                self._count(stage, self.tally.errors, (kind, refusal.what))
            except Stopped:
                raise
            except Exception as error:  # an error of the player itself is one of the figures that a play ends with
                self._count(stage, self.tally.errors, (kind, type(error).__name__))
            else:
                self._count(stage, self.tally.done, kind)
            finally:
                stage.release()
            return

    def _kinds(self, rng: Random) -> list[str]:
        drawn = [self.mix.draw(rng) for _ in range(DRAWS)]
        if self.plan.every_kind:
            with self.tally.lock:
                waiting = [kind for kind in self.mix.kinds if not self.tally.done[kind]]
            rng.shuffle(waiting)
            drawn = waiting + drawn
        return [*drawn, FALLBACK]

    def _count(self, stage: Stage, counter: Counter[Key], key: Key) -> None:
        with self.tally.lock:
            counter[key] += 1
            self.tally.commits += len(stage.entries)
