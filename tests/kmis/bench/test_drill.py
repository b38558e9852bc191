"""The drill benchmark asks every question of the products, in every loop the same, and names what fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from kmis.bench import drill
from kmis.bench.walks import Walk, walks
from kmis.query import QueryFailed, Scope
from tests.kmis.query import small_lake
from tests.kmis.query.conftest import Place, open_place

PRODUCTS = ("XLS-02", "LIVE-04")
SIZE = drill.Size(viewers=3, think_s=0.0)
SCOPE = Scope(1, frozenset(small_lake.ORGANISATIONS), show_identifiers=True)
DAY = date(2026, 1, 15)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("bench_lake")
    opened = open_place(folder, small_lake.make(folder))
    yield opened
    opened.service.close()


@pytest.fixture(scope="module")
def found(place: Place) -> list[Walk]:
    return walks(place.service, SCOPE, place.snapshot, DAY, PRODUCTS)


def test_every_level_of_every_product_is_asked_down_to_the_rows(place: Place, found: list[Walk]) -> None:
    assert {walk.product for walk in found} == set(PRODUCTS)
    for walk in found:
        product = place.service.catalogue.product(walk.product)
        steps = [query.step for query in walk.queries]
        assert {f"by {name}" for level in product.drill for name in level} <= set(steps)
        depths = {len(query.selection.path) for query in walk.queries if query.step == "figures"}
        assert depths == set(range(len(product.drill) + 1))
        assert steps[-1].startswith("rows page")
        if walk.period != "month":
            assert {f"by {name}" for name in product.selectable} <= set(steps)
            assert {f"members of {name}" for name in product.selectable} <= set(steps)
    assert any(
        query.step not in ("rows page 1",) and query.step.startswith("rows page") for w in found for query in w.queries
    )


def test_every_loop_asks_every_question_once_and_the_report_has_the_goals(place: Place, found: list[Walk]) -> None:
    loop = drill.Loop("cold", drill.closed_loop(place.service, found, place.snapshot, SIZE))
    assert sorted(answer.query.name for answer in loop.answers) == sorted(
        query.name for walk in found for query in walk.queries
    )
    assert not loop.failed, [(answer.query.name, answer.error) for answer in loop.failed]
    result = drill.report(drill.Outcome((loop, replace(loop, name="warm"), replace(loop, name="lake")), 40, SIZE))
    assert [goal.text for goal in result.goals] == [
        "p95 cold at most 200 ms", "p95 warm at most 200 ms", "no question is refused",
    ]  # fmt: skip
    assert "p95 of the lake is" in result.ratio


def test_refused_and_slow_questions_are_named(found: list[Walk]) -> None:
    query = found[0].queries[0]
    bad = drill.Answer(query, 0.01, "QueryFailed")
    slow = drill.Answer(found[1].queries[0], 5.0)
    loop = drill.Loop("cold", (bad, slow))
    result = drill.report(drill.Outcome((loop, replace(loop, name="warm"), replace(loop, name="lake")), 40, SIZE))
    assert not result.met
    text = "\n".join(result.printed())
    assert f"refused, cold: {query.name}: QueryFailed" in text
    assert f"5000 ms  {slow.query.name}" in text


def test_a_question_that_fails_is_an_answer(place: Place, found: list[Walk], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise QueryFailed

    monkeypatch.setattr(place.service, "figures", fails)
    answers = drill.closed_loop(place.service, found[:1], place.snapshot, SIZE)
    assert len(answers) == len(found[0].queries)
    assert {answer.error for answer in answers if answer.query.step == "figures"} == {"QueryFailed"}
