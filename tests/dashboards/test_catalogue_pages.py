"""Every product of the real catalogue draws its page, in both languages, with the figures of the query service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import formats, services
from dashboards.sessions import Sessions
from dashboards.texts import Texts
from kmis.query import Scope, Selection
from tests.dashboards.fakes import FakeIdentity, FakeStore
from tests.dashboards.test_pages import ALL, draw_one
from tests.kmis.query import small_lake
from tests.kmis.query.conftest import PRODUCTS, Place, open_place

JANUARY = {"from": "2026-01-01", "to": "2026-01-31"}
ORGANISATIONS = tuple(small_lake.ORGANISATIONS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("dashboards_lake")
    opened = open_place(folder, small_lake.make(folder))
    yield opened
    opened.service.close()


@pytest.fixture
def store(place: Place, monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    made = FakeStore({"a": FakeIdentity(permissions=ALL, organisation_ids=ORGANISATIONS)})
    monkeypatch.setattr(services, "_query", place.service)
    monkeypatch.setattr(services, "_sessions", Sessions(made.check, lifetime=0))
    monkeypatch.setattr(services, "token", lambda: "a")
    return made


def _open(product_id: str, **address: str | list[str]) -> AppTest:
    app = AppTest.from_function(draw_one, default_timeout=60, args=(product_id,))
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


@pytest.mark.requirement(*PRODUCTS)
@pytest.mark.parametrize("language", ["kk", "ru"])
@pytest.mark.parametrize("product_id", PRODUCTS)
def test_the_page_of_every_product_shows_its_figures(
    place: Place, store: FakeStore, product_id: str, language: str
) -> None:
    store.users["a"] = FakeIdentity(permissions=ALL, organisation_ids=ORGANISATIONS, language=language)
    product = place.service.catalogue.product(product_id)
    by_day = product.period == "day"
    app = _open(product_id, **({} if by_day else JANUARY))
    assert not app.exception and not app.error
    assert app.title[0].value == product.titles.text(Texts(language).language)
    today = place.service.today()
    selection = Selection(today, today) if by_day else Selection(today.replace(day=1), today.replace(day=31))
    scope = Scope(1, frozenset(ORGANISATIONS), show_identifiers=True)
    figures = place.service.figures(product_id, selection, scope, place.snapshot)
    shown = {metric.label: metric.value for metric in app.metric}
    expected = {
        measure.titles.text(Texts(language).language): formats.measure_text(figures[measure.name], Texts(language))
        for measure in product.shown_measures
        if measure.kind != "share"
    }
    assert shown == expected


@pytest.mark.requirement("DASH-01")
def test_the_structure_of_visits_opens_from_the_region_to_its_rows(place: Place, store: FakeStore) -> None:
    app = _open("DASH-01", **JANUARY)
    depth = 0
    while opener := next((box for box in app.selectbox if box.label == "Раскрыть"), None):
        # The option of the widget is its name; its place gives the key through the address.
        opener.select_index(0).run()
        depth += 1
        assert not app.exception and not app.error and depth < 8
    path = app.query_params["path"]
    assert [step.split(":")[0] for step in path] == ["region", "district", "organisation", "department", "doctor"]
    total = int(app.metric[0].value)
    assert total > 0 and len(app.dataframe[-1].value) == min(total, 50)
