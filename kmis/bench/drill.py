"""``kmis bench drill``: how long a reader waits for every question of the catalogue.

Ten viewers in a closed loop ask the query service, as pages do, and think two seconds after each answer. First with a
service that has answered nothing, at a snapshot that nobody has read (cold: each question is asked once), then the
same questions again (warm). The peer answers the same questions in the same loop out of the lake, without serving file
and with an empty cache.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from kmis.bench.homes import Say, demo_home
from kmis.bench.results import Goal, Result, quantile
from kmis.bench.walks import Query, Walk, walks
from kmis.clock import local_date
from kmis.query import QueryError, QueryService, Scope
from kmis.settings import Settings, get_settings
from kmis.supervisor import supervisor_pid

GOAL_P95_S = 0.2
NAMED = 20
WHOLE = ("serve", "tmp")


@dataclass(frozen=True, slots=True)
class Size:
    """How many people, viewers and seconds of thought; ``products``: only these, all when empty."""

    population: int = 16_000
    years: int = 2
    viewers: int = 10
    think_s: float = 2.0
    products: tuple[str, ...] = ()


QUICK = Size(population=300, years=1, viewers=3, think_s=0.0, products=("DASH-01", "XLS-02"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question: seconds, and the refusal if there was one."""

    query: Query
    seconds: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """The answers of one run of the loop: ``cold``, ``warm`` or ``lake``."""

    name: str
    answers: tuple[Answer, ...]

    @property
    def failed(self) -> list[Answer]:
        """Questions that were refused."""
        return [answer for answer in self.answers if answer.error]

    def share(self, share: float, kind: Callable[[Query], bool] = lambda query: True) -> float:
        """The seconds that this share of the answers did not exceed."""
        return quantile([answer.seconds for answer in self.answers if kind(answer.query)], share)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The three loops over the same questions; ``rows`` of the largest list, ``people`` of the installation."""

    loops: tuple[Loop, ...]
    people: int
    size: Size


def run(size: Size, say: Say = lambda line: None, home: Path | None = None) -> Outcome:
    """Measure on the running installation, or on one that is made. Raises HomeFailed."""
    settings = get_settings()
    if home is None and supervisor_pid(settings) is not None:
        return measure(settings, size, say)
    with demo_home(size.population, size.years, say, home=home) as own:
        _publish_anew(own)
        return measure(own, size, say)


def measure(settings: Settings, size: Size, say: Say = lambda line: None) -> Outcome:
    """The three loops on one installation."""
    scope, people = _reader(settings)
    with _service(settings) as finding:
        published = finding.current()
        day = local_date(published.event_at or published.published_at, settings.zone)
        found = walks(finding, scope, published.snapshot_id, day, size.products)
    say(f"  {sum(len(walk.queries) for walk in found)} questions of {len({walk.product for walk in found})} products")
    loops = []
    with _service(settings) as service:
        for name in ("cold", "warm"):
            say(f"  {name}")
            loops.append(Loop(name, closed_loop(service, found, published.snapshot_id, size)))
    with _without_serving_files(settings) as bare, _service(bare) as service:
        say("  peer: the lake alone")
        loops.append(Loop("lake", closed_loop(service, found, published.snapshot_id, size)))
    return Outcome(tuple(loops), people, size)


def closed_loop(service: QueryService, found: Sequence[Walk], snapshot: int, size: Size) -> tuple[Answer, ...]:
    """Every question once, the walks dealt out to the viewers, who ask one question after another."""
    dealt = _dealt(found, size.viewers)
    answers: list[Answer] = []

    def view(queries: list[Query], pause: float) -> None:
        rest = threading.Event()
        rest.wait(pause)
        for query in queries:
            answers.append(_ask(service, query, snapshot))
            rest.wait(size.think_s)

    viewers = [
        threading.Thread(target=view, args=(queries, size.think_s * place / len(dealt)))
        for place, queries in enumerate(dealt)
    ]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    return tuple(answers)


def report(outcome: Outcome) -> Result:
    """The result; questions that failed or took too long are named."""
    cold, warm, lake = outcome.loops
    size = outcome.size
    lines = [f"{'':<28}{'questions':>9}{'p50 ms':>9}{'p95 ms':>9}{'worst ms':>10}{'refused':>9}"]
    for loop in outcome.loops:
        for label, kind in KINDS.items():
            number = sum(kind(answer.query) for answer in loop.answers)
            if number:
                times = "".join(
                    f"{loop.share(share, kind) * 1e3:>{width}.0f}" for share, width in ((0.5, 9), (0.95, 9), (1.0, 10))
                )
                refused = sum(kind(answer.query) for answer in loop.failed)
                lines.append(f"{loop.name + ' ' + label:<28}{number:>9}{times}{refused:>9}")
    goals = []
    for loop in (cold, warm):
        p95 = loop.share(0.95)
        goals.append(
            Goal(f"p95 {loop.name} at most {GOAL_P95_S * 1e3:.0f} ms", f"{p95 * 1e3:.0f} ms", p95 <= GOAL_P95_S)
        )
    refused = len(cold.failed) + len(warm.failed)
    goals.append(Goal("no question is refused", f"{refused} refused", refused == 0))
    lines += _named(cold, warm)
    return Result(
        name="drill",
        title="Seconds until a figure, a breakdown, a trend or a page of rows is there, through the query service.",
        size=f"{len(cold.answers)} questions of {len({answer.query.product for answer in cold.answers})} products over"
        f" {outcome.people:,} people, {size.viewers} viewers in a closed loop with {size.think_s:g} s of thought,"
        " the scope of the whole region",
        goals=tuple(goals),
        peer="the same questions in the same loop out of the lake, without serving file and cache",
        ratio=f"p95 of the lake is {lake.share(0.95) / cold.share(0.95):.1f} times the cold one and"
        f" {lake.share(0.95) / warm.share(0.95):.1f} times the warm one; p50"
        f" {lake.share(0.5) / cold.share(0.5):.1f} and {lake.share(0.5) / warm.share(0.5):.1f} times",
        lines=tuple(lines),
    )


KINDS: dict[str, Callable[[Query], bool]] = {
    "all": lambda query: True,
    "figures": lambda query: query.step == "figures",
    "trends": lambda query: query.step.startswith("trend"),
    "breakdowns": lambda query: query.step.startswith("by "),
    "members of filters": lambda query: query.step.startswith("members"),
    "pages of rows": lambda query: query.step.startswith(("rows", "cells")),
}


def _named(*loops: Loop) -> list[str]:
    """The refused questions and the slowest of those beyond the goal."""
    lines = [f"refused, {loop.name}: {answer.query.name}: {answer.error}" for loop in loops for answer in loop.failed]
    for loop in loops:
        slow = sorted((a for a in loop.answers if a.seconds > GOAL_P95_S), key=lambda answer: -answer.seconds)
        if slow:
            lines.append(f"slower than the goal, {loop.name}: {len(slow)} questions, the slowest:")
        lines += [f"  {answer.seconds * 1e3:6.0f} ms  {answer.query.name}" for answer in slow[:NAMED]]
    return lines


def _ask(service: QueryService, query: Query, snapshot: int) -> Answer:
    started = time.perf_counter()
    try:
        query.ask(service, snapshot)
    except QueryError as error:
        return Answer(query, time.perf_counter() - started, f"{type(error).__name__} {error}".strip())
    return Answer(query, time.perf_counter() - started)


def _dealt(found: Sequence[Walk], viewers: int) -> list[list[Query]]:
    """The walks, longest first, each to the viewer who has least."""
    dealt: list[list[Query]] = [[] for _ in range(viewers)]
    for walk in sorted(found, key=lambda walk: -len(walk.queries)):
        min(dealt, key=len).extend(walk.queries)
    return dealt


@contextlib.contextmanager
def _service(settings: Settings) -> Iterator[QueryService]:
    service = QueryService(settings)
    try:
        yield service
    finally:
        service.close()


@contextlib.contextmanager
def _without_serving_files(settings: Settings) -> Iterator[Settings]:
    """The same installation seen through a folder without its serving files."""
    with tempfile.TemporaryDirectory(prefix="kmis-bench-") as folder:
        for part in settings.root.iterdir():
            if part.name not in WHOLE:
                (Path(folder) / part.name).symlink_to(part)
        yield settings.model_copy(update={"home": Path(folder)})


def _reader(settings: Settings) -> tuple[Scope, int]:
    """A reader of the whole region who sees identifiers, and how many people there are."""
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        organisations = frozenset(int(row[0]) for row in connection.execute("select id from organisation"))
        row = connection.execute("select count(*) from patient where merged_into_id is null").fetchone()
    return Scope(1, organisations, show_identifiers=True), int(row[0]) if row else 0


def _publish_anew(settings: Settings) -> None:
    """A snapshot that nobody has read: one more visit, one more pass."""
    from kmis.bench.changes import Signer
    from kmis.cli_lake import one_pass

    Signer(settings).sign(0)
    one_pass(settings, lambda step: None)
