"""Server-rendered boards: each figure opens into the rows that it counts."""

from __future__ import annotations

import html
import re

import pytest
from fastapi.testclient import TestClient

from kmis.settings import Settings
from operational.kit.access import Scope
from tests.kmis.query.conftest import Place as Lake
from tests.operational.monitoring.boards import JANUARY, board_client
from tests.operational.web.conftest import csrf_of

FIGURE = re.compile(r'<b data-measure="(\w+)"><a class="opens" href="([^"]+)"[^>]*>([^<]+)</a>')
TOTAL = re.compile(r"<h2>[^<]*?: ([\d\s\u00a0\u202f]+) · ([^<]+)</h2>")


@pytest.fixture
def client(lake: Lake, settings: Settings, scope: Scope) -> TestClient:
    return board_client(lake, settings, scope)


def digits(text: str) -> int:
    return int(re.sub(r"\D", "", text))


@pytest.mark.parametrize("product_id", ["DASH-01", "XLS-02", "XLS-01"])
def test_a_figure_opens_into_as_many_rows_as_it_says(client: TestClient, lake: Lake, product_id: str) -> None:
    page = client.get(f"/boards/{product_id}?{JANUARY}").text
    measures = {measure.name: measure for measure in lake.service.catalogue.product(product_id).shown_measures}
    figures = FIGURE.findall(page)
    assert figures
    counted = 0
    for name, address, shown in figures:
        opened = client.get(html.unescape(address).removesuffix("#rows"))
        assert opened.status_code == 200, address
        found = TOTAL.search(opened.text)
        assert found, name
        if measures[name].kind == "count":
            counted += 1
            assert digits(found[1]) == digits(shown), name
    assert counted


def test_a_cell_of_the_breakdown_opens_into_the_rows_of_its_line(client: TestClient) -> None:
    page = client.get(f"/boards/DASH-01?{JANUARY}").text
    cell = re.search(r'<td class="num"><a class="opens" href="([^"]+path=[^"]+measure=[^"]+)"[^>]*>([^<]+)</a>', page)
    assert cell
    opened = client.get(html.unescape(cell[1]).removesuffix("#rows")).text
    found = TOTAL.search(opened)
    assert found
    assert digits(found[1]) == digits(cell[2])


def test_rows_are_sorted_by_any_column_and_what_is_searched_stands_in_no_address(client: TestClient) -> None:
    address = f"/boards/XLS-02?{JANUARY}&rows=1"
    page = client.get(address).text
    columns = re.findall(r'name="sort_by" value="(\w+)"', page)
    assert columns
    token = csrf_of(page)
    ways = {}
    for way in ("", ":desc"):
        asked = client.post(address, data={"csrf_token": token, "sort_by": f"{columns[0]}{way}"})
        assert asked.status_code == 200
        assert f'aria-sort="{"descending" if way else "ascending"}"' in asked.text
        ways[way] = re.search(r"<tbody><tr>(.*?)</tr>", asked.text.split('id="rows"')[1], re.S)
    assert ways[""] and ways[":desc"] and ways[""][1] != ways[":desc"][1]
    nobody = client.post(address, data={"csrf_token": token, "q": "жоқ мұндай"})
    assert nobody.status_code == 200
    assert "жоқ мұндай" not in nobody.headers.get("location", "") + str(nobody.url)


@pytest.mark.parametrize("measure", ["no_such", "count(*)", "1; drop table x"])
def test_an_unknown_figure_is_refused(client: TestClient, measure: str) -> None:
    answer = client.get("/boards/DASH-01", params={"measure": measure, "rows": "1"})
    assert answer.status_code == 422
