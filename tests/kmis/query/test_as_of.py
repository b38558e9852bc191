"""What depends on the day: as of the newest event of the data, or of the end of an earlier period."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from kmis.catalogue import catalogue
from kmis.catalogue.models import Band, Condition, Dimension, Elapsed, Text, Titles
from kmis.catalogue.validation import faults
from kmis.clock import FixedClock
from kmis.query import Published, QueryService, Scope, Selection
from kmis.query.as_of import as_of
from kmis.settings import Settings
from tests.kmis.query import small_lake
from tests.kmis.query.conftest import NOON, Board

ORAL = ZoneInfo("Asia/Oral")
LATE = datetime(2026, 1, 15, 20, 30, tzinfo=UTC)  # 01:30 of the 16th in Oral


def published(event_at: datetime | None) -> Published:
    """A snapshot whose newest event was then."""
    return Published(1, 1, event_at, NOON, 0.0, "ok")


def test_the_day_is_the_local_day_of_the_newest_event() -> None:
    told = as_of(published(LATE), date(2026, 1, 31), ORAL)
    assert (told.day, told.moment) == (date(2026, 1, 16), LATE)


def test_a_period_that_ended_earlier_is_told_as_of_its_end() -> None:
    told = as_of(published(LATE), date(2026, 1, 10), ORAL)
    assert told.day == date(2026, 1, 10)
    assert told.moment == datetime(2026, 1, 11, tzinfo=ORAL)


def test_without_an_event_the_publication_counts() -> None:
    assert as_of(published(None), date(2026, 1, 31), ORAL).moment == NOON


def test_a_condition_that_states_nothing_is_refused_and_an_instant_is_enough() -> None:
    assert Condition(column="due_at", passed="moment").passed == "moment"
    with pytest.raises(ValidationError, match="states nothing"):
        Condition(column="due_at")


def test_a_value_that_is_computed_out_of_another_is_a_fault() -> None:
    fact = catalogue().facts["home_call"]
    twice = {"a": Elapsed(since="event_date", unit="days"), "b": Elapsed(since="a", unit="days")}
    found = list(faults([], {"home_call": fact.model_copy(update={"elapsed": twice})}, catalogue().dimensions, {}))
    assert found == ["fact home_call: b is computed out of another computed value"]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[QueryService]:
    """The small lake, with the days since a call as a dimension of the calls."""
    snapshot = small_lake.make(tmp_path, visits=120)
    bands = (Band(key="new", at_most=6), Band(key="old", at_least=7))
    waits = {
        "days": Elapsed(since="called_at", until="performed_at", unit="days"),
        "age": Elapsed(since="called_at", until="performed_at", unit="days", bands=bands),
        "hours": Elapsed(since="called_at", until="performed_at", unit="hours"),
    }
    known = catalogue()
    text = {"kk": "күту", "ru": "ожидание"}
    age = Dimension(
        name="age", titles=Titles(**text, en="age"), values={"new": Text(**text), "old": Text(**text)}
    )  # fmt: skip
    facts = {
        name: fact.model_copy(update={"elapsed": waits, "dimensions": {**fact.dimensions, "age": "age"}})
        if name.startswith("home_call") else fact
        for name, fact in known.facts.items()
    }  # fmt: skip
    product = known.product("LIVE-04")
    calls, slots = product.source("home_calls"), product.sources[1:2]
    measures = tuple(
        product.measure("home_calls_today").model_copy(update={"name": name, "where": where, "source": "home_calls"})
        for name, where in (
            ("all_calls", ()),
            ("long", (Condition(column="days", minimum=7),)),
            ("at_once", (Condition(column="hours", maximum=2),)),
            ("passed", (Condition(column="due_at", passed="moment"),)),
            ("not_yet", (Condition(column="due_at", ahead="moment"),)),
            ("before_today", (Condition(column="event_date", passed="day"),)),
        )
    )
    made = product.model_copy(
        update={"period": "range", "sources": (calls, *slots), "measures": measures, "dimensions": ("age",)}
    )
    board = Board(FixedClock(NOON))
    board.known[snapshot] = replace(published(NOON), snapshot_id=snapshot)
    opened = QueryService(
        Settings(home=tmp_path / "home"), clock=FixedClock(NOON), published=board,
        products=replace(known, products=(made,), facts=facts, dimensions={**known.dimensions, "age": age}),
        attach=lambda connection, _: small_lake.attach(connection, tmp_path),
    )  # fmt: skip
    yield opened
    opened.close()


def test_figures_of_time_change_with_the_day_and_not_with_the_clock(service: QueryService) -> None:
    scope = Scope(1, frozenset(small_lake.ORGANISATIONS))
    snapshot = service.current().snapshot_id
    rows = 120
    year = Selection(date(2026, 1, 1), date(2026, 12, 31))
    figures = service.figures("LIVE-04", year, scope, snapshot)
    days = [date(2026, 1, 1).toordinal() + k * 7 % 59 for k in range(1, rows + 1)]
    today = date(2026, 1, 15).toordinal()
    done = [k % 5 in (2, 3) for k in range(1, rows + 1)]
    assert figures.value("all_calls") == rows
    assert figures.value("before_today") == sum(day < today for day in days)
    # due at 13:00, told at 12:00 of the 15th
    assert figures.value("passed") == sum(day < today for day in days)
    assert figures.value("not_yet") == sum(day >= today for day in days)
    long = sum(today - day >= 7 and not ended for day, ended in zip(days, done, strict=True))
    assert 0 < long == figures.value("long")
    earlier = service.figures("LIVE-04", Selection(year.period_from, date(2026, 1, 10)), scope, snapshot)
    assert (earlier.value("long") or 0) < long
    ages = {row.key: row.value("all_calls") for row in service.breakdown("LIVE-04", year, "age", scope, snapshot).rows}
    assert ages == {"old": long, "new": rows - long}
    page = service.rows("LIVE-04", year, scope, snapshot, measure="at_once", page_size=500)
    assert (
        page.total
        == figures.value("at_once")
        == sum(ended or day > today for day, ended in zip(days, done, strict=True))
    )
