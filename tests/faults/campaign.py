"""Kills of parts at random moments, repeatable by their seed, with what was hit and how long the return took."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psutil

from tests.faults.player import Player
from tests.faults.system import WATCH_S, Doing, System, wait_for

STAGES = ("append", "model", "commit", "publish", "maintenance")
LISTENERS = ("dicom", "mllp")
SEED_VARIABLE = "KMIS_KILL_SEED"
# The longest pause before a part that has no stages is killed, in seconds.
PAUSE_S = 2.0


def seed_of_run() -> int:
    """The seed of the environment, or a new one."""
    return int(os.environ.get(SEED_VARIABLE) or random.SystemRandom().randrange(1, 1_000_000))


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be killed; ``stage`` of the writer, empty for the others."""

    part: str
    stage: str = ""

    def __str__(self) -> str:
        return f"{self.part} in {self.stage}" if self.stage else self.part


@dataclass(frozen=True, slots=True)
class Hit:
    """A kill: what it was meant for, what the writer did at that moment, seconds until the part was back."""

    target: Target
    at: datetime
    stage: str
    back_s: float


@dataclass
class Campaign:
    """Kills on one installation."""

    system: System
    player: Player
    chance: random.Random
    say: Callable[[str], None]
    hits: list[Hit] = field(default_factory=list)

    def kill(self, target: Target) -> Hit:
        """Kill once, and wait until the part and the player go on. Raises AssertionError when they do not."""
        stage, back = self._writer(target.stage) if target.part == "writer" else self._other(target.part)
        at, start = datetime.now(UTC), time.monotonic()
        self.say(f"kill {len(self.hits) + 1}: {target}, at {at:%H:%M:%S.%f}, the writer in {stage}")
        wait_for(f"{target} to be back", back)
        back_s = time.monotonic() - start
        publication = self.system.publication()
        self.player.goes_on(datetime.now(UTC))
        wait_for("figures that move", lambda: self.system.published_after(publication))
        hit = Hit(target, at, stage, back_s)
        self.hits.append(hit)
        self.say(f"  back after {back_s:.1f} s, figures move after {time.monotonic() - start:.1f} s")
        return hit

    def _writer(self, wanted: str) -> tuple[str, Callable[[], bool]]:
        system = self.system
        span_s = system.span_s(wanted)
        pid = system.pid("writer")
        with system.store() as store:
            if wanted == "maintenance":
                store.execute("insert into pass_request (kind, requested_by) values ('maintenance', 'kill campaign')")
            doing = wait_for(f"the stage {wanted}", lambda: self._in_stage(system.doing(store), wanted), WATCH_S)
            time.sleep(self.chance.uniform(0, 0.8 * span_s))  # lint: the moment of the kill is the point
            os.kill(pid, signal.SIGKILL)
            psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
            at_death = system.doing(store)
        publication = system.publication()
        stage = at_death.stage if at_death and at_death.pass_id >= doing.pass_id else "between passes"
        return stage, lambda: system.alive("writer") not in (None, pid) and system.published_after(publication)

    @staticmethod
    def _in_stage(doing: Doing | None, wanted: str) -> Doing | None:
        return doing if doing and doing.stage == wanted else None

    def _other(self, part: str) -> tuple[str, Callable[[], bool]]:
        system = self.system
        answers: dict[str, Callable[[], bool]] = {
            "api": system.screens_answer, "dicom": system.images_answer, "mllp": system.laboratory_answers,
        }  # fmt: skip
        time.sleep(self.chance.uniform(0, PAUSE_S))  # lint: the moment of the kill is the point
        with system.store() as store:
            doing = system.doing(store)
        stage = doing.stage if doing else "between passes"
        if part == "postgres":
            publication = system.publication()
            server = system.kill_server()
            return (
                stage,
                lambda: (
                    system.postmaster() not in (None, server)
                    and all(answer() for answer in answers.values())
                    and system.published_after(publication)
                ),
            )
        pid = system.kill(part)
        return stage, lambda: system.alive(part) not in (None, pid) and answers[part]()

    def stages_hit(self) -> Counter[str]:
        """How often each stage was hit by a kill of the writer."""
        return Counter(hit.stage for hit in self.hits if hit.target.part == "writer")

    def report(self) -> list[str]:
        """Lines: kills and seconds by part, stages hit."""
        seconds: dict[str, list[float]] = defaultdict(list)
        for hit in self.hits:
            seconds[hit.target.part].append(hit.back_s)
        lines = [
            f"  {part:<10}{len(values):>3} kills, back after p50 {sorted(values)[len(values) // 2]:.1f} s,"
            f" worst {max(values):.1f} s"
            for part, values in sorted(seconds.items())
        ]
        return [*lines, f"  writer hit in: {dict(self.stages_hit())}"]


def plan(chance: random.Random, writer: Sequence[str], others: Sequence[str]) -> list[Target]:
    """The targets in random order."""
    targets = [Target("writer", stage) for stage in writer] + [Target(part) for part in others]
    chance.shuffle(targets)
    return targets
