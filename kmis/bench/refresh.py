"""``kmis bench refresh``: seconds of a pass for a thousand changed rows, on the demonstration and on one larger.

The lake is not fresh: it has seen hundreds of refreshes, each of a signed visit and a few corrections, with the
writer's upkeep. Then a thousand rows of each fact are corrected, those of the last weeks and those of all years, and
rows of all facts together; once more after the nightly maintenance. The larger region's other people stand in bronze
and gold only, so the store gives the same changes in both. The peer is a rebuild of every model of the same lake in the
same run.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kmis.bench.changes import KINDS, SPREADS, TOGETHER, Kind, Signer, Spread, correct
from kmis.bench.homes import Say, demo_home
from kmis.bench.results import Goal, Result
from kmis.clock import SystemClock
from kmis.settings import Settings

if TYPE_CHECKING:
    from pipelines.lib.passes import PassResult
    from pipelines.lib.project import Project
    from pipelines.lib.reconcile import Reconciled
    from pipelines.lib.writer import Writer

GOAL_RATIO = 1.5
GOAL_SCATTERED_S = 2.0
NAMED = 12
STEPS = ("load", "models", "checks", "commit", "compact", "publish")
AGED, KEPT = "after the refreshes", "after maintenance"


@dataclass(frozen=True, slots=True)
class Size:
    """People of the demonstration, people added for the larger one, refreshes before, changed rows, passes of each."""

    population: int = 16_000
    years: int = 2
    region_people: int = 304_000
    refreshes: int = 500
    rows: int = 1_000
    turns: int = 3
    kinds: tuple[Kind, ...] = KINDS


QUICK = Size(population=300, years=1, region_people=0, refreshes=2, rows=10, turns=1, kinds=KINDS[:1])


@dataclass(frozen=True, slots=True)
class Timed:
    """One pass: changed rows, seconds in all, by step, and by model."""

    rows: int
    seconds: float
    steps: dict[str, float]
    models: dict[str, float]


@dataclass(frozen=True, slots=True)
class Case:
    """The passes of one fact (or of all together) and spread in one state of one lake."""

    state: str
    fact: str
    spread: Spread
    passes: tuple[Timed, ...]

    @property
    def seconds(self) -> float:
        """The median pass."""
        return statistics.median(timed.seconds for timed in self.passes)

    @property
    def rows(self) -> int:
        """Changed rows of a pass."""
        return max(timed.rows for timed in self.passes)

    def step(self, name: str) -> float:
        """The median seconds of one step."""
        return statistics.median(timed.steps.get(name, 0.0) for timed in self.passes)

    def slowest(self, number: int = 3) -> list[tuple[str, float]]:
        """The models that took most of it."""
        names = {name for timed in self.passes for name in timed.models}
        of = {name: statistics.median(timed.models.get(name, 0.0) for timed in self.passes) for name in names}
        return sorted(of.items(), key=lambda item: -item[1])[:number]


@dataclass(slots=True)
class Lake:
    """What was measured in one installation. ``visits`` of its gold; ``files`` of its lake in each state."""

    label: str
    people: int
    visits: int = 0
    files: dict[str, str] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)
    rebuild_s: float = 0.0

    def case(self, state: str, fact: str, spread: Spread) -> Case:
        """The case of that name."""
        return next(c for c in self.cases if (c.state, c.fact, c.spread) == (state, fact, spread))


@dataclass(frozen=True, slots=True)
class Outcome:
    """The lakes that were measured, the demonstration's first; the second only where people were added."""

    lakes: tuple[Lake, ...]
    size: Size


def run(size: Size, say: Say = lambda line: None, homes: Path | None = None) -> Outcome:
    """Measure both installations, one after the other. ``homes`` keeps them. Raises HomeFailed."""
    added = {"demo": 0, "larger": size.region_people} if size.region_people else {"demo": 0}
    with contextlib.ExitStack() as stack:
        aged = {}
        for label, region in added.items():
            home = None if homes is None else homes / label
            settings = stack.enter_context(demo_home(size.population, size.years, say, region, home))
            aged[label] = stack.enter_context(_writer(settings))
        # The refreshes before are not measured: the lakes age side by side.
        with ThreadPoolExecutor(len(aged)) as pool:
            list(pool.map(lambda label: _age(aged[label], label, size, say), aged))
        return Outcome(
            tuple(_measured(aged[label], label, size.population + region, size, say)
                  for label, region in added.items()), size
        )  # fmt: skip


def measure(
    settings: Settings, label: str, people: int, size: Size, say: Say = lambda line: None,
    project: Project | None = None,
) -> Lake:  # fmt: skip
    """One lake: aged, measured, maintained, measured, rebuilt. ``project``: the models, else those of the project."""
    with _writer(settings, project) as writer:
        _age(writer, label, size, say)
        return _measured(writer, label, people, size, say)


@contextlib.contextmanager
def _writer(settings: Settings, project: Project | None = None) -> Iterator[Writer]:
    from pipelines.lib.dbt_runner import DbtRunner
    from pipelines.lib.project import compile_project
    from pipelines.lib.workshop import open_workshop
    from pipelines.lib.writer import Writer

    with open_workshop(settings, SystemClock()) as workshop:
        yield Writer(workshop, project or compile_project(DbtRunner(settings, workshop.instance)), _Nobody())


def _measured(writer: Writer, label: str, people: int, size: Size, say: Say) -> Lake:
    from pipelines.lib import maintenance

    found = Lake(label, people)
    found.visits = _one(writer, "select count(encounter_id) from lake.marts.fct_visit")
    found.files[AGED] = _files(writer)
    found.cases += _cases(writer, AGED, size, say)
    writer.passes.compact()
    maintenance.expire(writer.workshop)
    found.files[KEPT] = _files(writer)
    found.cases += _cases(writer, KEPT, size, say)
    say(f"  {label}: one rebuild of every model, for comparison")
    started = time.perf_counter()
    writer.passes.refresh(rebuild=True)
    found.rebuild_s = time.perf_counter() - started
    return found


def report(outcome: Outcome) -> Result:
    """The result: a table for each state, the goals, and the models of what missed them."""
    demo, *larger = outcome.lakes
    size, names = outcome.size, [kind.fact for kind in outcome.size.kinds] + [TOGETHER]
    lines: list[str] = []
    goals: list[Goal] = []
    missed: list[Case] = []
    for state in (AGED, KEPT):
        lines += [f"{state}: " + "; ".join(f"{lake.label} {lake.files[state]}" for lake in outcome.lakes)]
        lines += [_head(outcome)] + [_line(outcome, state, name) for name in names]
        for lake in larger:
            goals += _goals(demo, lake, state, names, missed)
    for lake in outcome.lakes:
        case = lake.case(AGED, TOGETHER, "last weeks")
        steps = ", ".join(f"{step} {case.step(step):.2f}" for step in STEPS)
        lines.append(f"{lake.label}, {TOGETHER}, last weeks: seconds by step: {steps}")
    lines += [
        f"{case.fact}, {case.spread}, {case.state}: {case.seconds:.2f} s, models {case.step('models'):.2f}: "
        + ", ".join(f"{name} {seconds:.2f}" for name, seconds in case.slowest())
        for case in sorted(missed, key=lambda case: -case.seconds)[:NAMED]
    ]
    ratios = [
        f"{lake.rebuild_s:.1f} s, {lake.rebuild_s / lake.case(AGED, TOGETHER, 'last weeks').seconds:.0f} times a pass"
        f" of {lake.case(AGED, TOGETHER, 'last weeks').rows} changed rows on the {lake.label} lake"
        for lake in outcome.lakes
    ]
    return Result(
        name="refresh",
        title=f"Seconds of a pass for {size.rows:,} changed rows, after {size.refreshes} refreshes and again after"
        " maintenance.",
        size="; ".join(f"{lake.label}: {lake.people:,} people, {lake.visits:,} visits" for lake in outcome.lakes)
        + f"; {size.years} years, median of {size.turns} passes each",
        goals=tuple(goals),
        peer="a rebuild of every model of the same lake in the same run",
        ratio="; ".join(ratios),
        lines=tuple(lines),
    )


def _goals(demo: Lake, larger: Lake, state: str, names: Sequence[str], missed: list[Case]) -> Iterator[Goal]:
    recent = {name: larger.case(state, name, "last weeks").seconds / demo.case(state, name, "last weeks").seconds
              for name in names}  # fmt: skip
    scattered = {name: larger.case(state, name, "all years").seconds for name in names if name != TOGETHER}
    for text, found, limit, unit, spread in (
        ("last weeks, larger to demo: ratio at most", recent, GOAL_RATIO, "", SPREADS[0]),
        ("all years, on the larger: seconds for each fact at most", scattered, GOAL_SCATTERED_S, " s", SPREADS[1]),
    ):
        beyond = [name for name, value in found.items() if value > limit]
        missed += [larger.case(state, name, spread) for name in beyond]
        worst = max(found, key=lambda name: found[name])
        named = f"; beyond: {', '.join(beyond)}" if beyond else ""
        measured = (
            f"worst {found[worst]:.2f}{unit} ({worst}), median {statistics.median(found.values()):.2f}{unit}{named}"
        )
        yield Goal(f"{state}: {text} {limit:g}", measured, not beyond)


def _head(outcome: Outcome) -> str:
    head = f"  {'':<28}"
    for spread in SPREADS:
        head += f"{spread + ', rows':>17}" + "".join(f"{lake.label + ' s':>10}" for lake in outcome.lakes)
        head += f"{'ratio':>7}" if len(outcome.lakes) > 1 else ""
    return head


def _line(outcome: Outcome, state: str, name: str) -> str:
    line = f"  {name:<28}"
    for spread in SPREADS:
        cases = [lake.case(state, name, spread) for lake in outcome.lakes]
        line += f"{cases[0].rows:>17}" + "".join(f"{case.seconds:>10.2f}" for case in cases)
        line += f"{cases[1].seconds / cases[0].seconds:>7.2f}" if len(cases) > 1 else ""
    return line


def _age(writer: Writer, label: str, size: Size, say: Say) -> None:
    """The refreshes by the writer that a kept installation lacks; some tables are compacted in each, as at any time."""
    made = _passes(writer)
    signer = Signer(writer.workshop.settings)
    said = time.monotonic()
    for number in range(made, size.refreshes):
        signer.sign(number)
        kinds = [size.kinds[(number + place) % len(size.kinds)] for place in (0, 1)]
        correct(signer.settings, kinds, 4, "last weeks", number)
        writer.passes.refresh()
        if time.monotonic() - said > 30:
            said = time.monotonic()
            say(f"  {label}: {number + 1} of {size.refreshes} refreshes")


def _passes(writer: Writer) -> int:
    row = writer.workshop.store.execute(
        "select count(*) from lake_pass where kind = 'refresh' and state = 'published'"
    ).fetchone()
    return int(str(row[0])) if row else 0


def _cases(writer: Writer, state: str, size: Size, say: Say) -> Iterator[Case]:
    asked = [(kind.fact, (kind,)) for kind in size.kinds] + [(TOGETHER, size.kinds)]
    settings = writer.workshop.settings
    for name, kinds in asked:
        for spread in SPREADS:
            passes = []
            for turn in range(size.turns):
                rows = correct(settings, kinds, size.rows, spread, turn)
                passes.append(_timed(writer, rows))
            case = Case(state, name, spread, tuple(passes))
            say(f"  {state}: {name}, {spread}: {case.rows} rows {case.seconds:.2f} s")
            yield case


def _timed(writer: Writer, rows: int) -> Timed:
    known = {model.name for model in writer.project.models}
    begun: list[tuple[str, float]] = []
    started = time.perf_counter()
    result: PassResult | None = writer.passes.refresh(progress=lambda step: begun.append((step, time.perf_counter())))
    ended = time.perf_counter()
    steps: dict[str, float] = {"load": result.seconds["load"] if result else 0.0, "models": 0.0}
    models: dict[str, float] = {}
    ends = [at for _, at in begun[1:]] + [ended]
    for (step, at), end in zip(begun, ends, strict=True):
        if step in STEPS:
            steps[step] = end - at
        elif step in known:
            models[step] = end - at
            steps["models"] += end - at
    return Timed(rows, ended - started, steps, models)


def _files(writer: Writer) -> str:
    files = _one(writer, "select sum(file_count + delete_file_count) from ducklake_table_info('lake')")
    most = _one(writer, "select max(file_count + delete_file_count) from ducklake_table_info('lake')")
    snapshots = _one(writer, "select count(*) from ducklake_snapshots('lake')")
    return f"{files:,} files, {most} of one table, {snapshots:,} snapshots"


def _one(writer: Writer, statement: str) -> int:
    row = writer.workshop.lake.execute(statement).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


class _Nobody:
    """Nobody is told of a pass."""

    def report(self, result: PassResult | Reconciled) -> None:
        """Does nothing."""
