"""The pages over a query service in memory: figures, drill, snapshot, languages, refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import services
from dashboards.server import SCRIPT
from dashboards.sessions import Sessions
from dashboards.unloads import UnloadOrder, UnloadRefused
from kmis.query import NothingPublished
from tests.dashboards.fake_query import FakeQuery
from tests.dashboards.fakes import FakeIdentity, FakeStore

ALL = frozenset({"analytics.read", "analytics.rows", "analytics.identifiers", "exports.make"})
MONTH = {"from": "2026-11-01", "to": "2026-11-24"}


class FakeUnloads:
    def __init__(self) -> None:
        self.orders: list[UnloadOrder] = []
        self.refusal: str | None = None

    def order(self, token: str, order: UnloadOrder) -> int:
        if self.refusal:
            raise UnloadRefused(self.refusal)
        self.orders.append(order)
        return 700 + len(self.orders)


class Desk:
    """One user at one dashboards process."""

    def __init__(self) -> None:
        self.query = FakeQuery()
        self.unloads = FakeUnloads()
        self.store = FakeStore({"a": FakeIdentity(permissions=ALL)})

    def open(self, product_id: str = "DASH-01", **address: str | list[str]) -> AppTest:
        app = AppTest.from_function(draw_one, default_timeout=30, args=(product_id,))
        for name, value in address.items():
            app.query_params[name] = value
        return app.run()


def draw_one(product_id: str) -> None:
    from dashboards import services
    from dashboards.app import draw_safely
    from dashboards.pages.board import draw_board
    from dashboards.pages.product import draw_product
    from dashboards.texts import Texts

    product = services.query().catalogue.product(product_id)
    texts = Texts(services.identity().language)
    draw_safely(draw_board if product.kind == "board" else draw_product, product, texts)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk()
    monkeypatch.setattr(services, "_query", made.query)
    monkeypatch.setattr(services, "_unloads", made.unloads)
    monkeypatch.setattr(services, "_sessions", Sessions(made.store.check, lifetime=0))
    monkeypatch.setattr(services, "token", lambda: "a")
    yield made


def _address(app: AppTest, name: str) -> list[str]:
    value = app.query_params.get(name, [])
    return [value] if isinstance(value, str) else value


def _metric(app: AppTest) -> str:
    return app.metric[0].value


def _texts(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.title, *app.subheader, *app.button, *app.error, *app.info]
    return "\n".join(str(getattr(part, "label", None) or part.value) for part in parts)


@pytest.mark.requirement("DASH-01")
def test_the_top_level_shows_the_figures_of_the_month(desk: Desk) -> None:
    app = desk.open()
    assert not app.exception and not app.error
    assert _metric(app) == "60"
    assert app.metric[1].value == "75,0\u202f%"
    assert "сверка: сошлась" in _texts(app)
    assert "Данные на **24.11.2026 13:00:41**" in _texts(app)
    assert list(app.query_params) == []


@pytest.mark.requirement("DASH-01")
def test_the_drill_goes_from_the_region_to_the_rows_and_holds_its_snapshot(desk: Desk) -> None:
    app = desk.open()
    for dimension, key in (("region", "1"), ("organisation", "10"), ("department", "101"), ("doctor", "101")):
        opener = next(box for box in app.selectbox if box.label == "Раскрыть")
        opener.set_value(key).run()
        assert not app.exception and not app.error
        assert _address(app, "path")[-1] == f"{dimension}:{key}"
        assert _address(app, "snapshot") == ["101"]
    assert not any(box.label == "Раскрыть" for box in app.selectbox)
    rows = app.dataframe[-1].value
    assert str(len(rows)) == _metric(app)
    desk.query.add_visit()
    app.run()
    assert str(len(app.dataframe[-1].value)) == _metric(app) == str(len(rows))
    assert any(button.label == "Есть новые данные — показать" for button in app.button)
    assert {asked for kind, asked in desk.query.asked if kind == "snapshot"} == {101}
    app.button(key="show-newer").click().run()
    assert _address(app, "snapshot") == ["102"]


def test_the_level_of_two_can_be_opened_by_site(desk: Desk) -> None:
    app = desk.open(path=["region:1", "organisation:10"], **MONTH)
    app.button_group[0].set_value("site").run()
    assert not app.exception
    opener = next(box for box in app.selectbox if box.label == "Раскрыть")
    assert "Не указано" in opener.options
    opener.set_value("").run()
    assert _address(app, "path") == ["region:1", "organisation:10", "site:"]


def test_every_step_of_the_path_leads_back_and_the_top_follows_the_newest(desk: Desk) -> None:
    app = desk.open(path=["region:1", "organisation:10"], snapshot="101", **MONTH)
    assert [button.label for button in app.button if str(button.key).startswith("path-")] == [
        "Всё",
        "region рус: region 1 рус",
    ]
    app.button(key="path-1").click().run()
    assert _address(app, "path") == ["region:1"]
    app.button(key="path-0").click().run()
    assert "path" not in app.query_params and "snapshot" not in app.query_params


@pytest.mark.requirement("DASH-01", "LIVE-04")
@pytest.mark.parametrize("product_id", ["DASH-01", "LIVE-04"])
def test_an_untouched_page_rises_by_itself_after_a_commit(desk: Desk, product_id: str) -> None:
    app = desk.open(product_id)
    before = int(_metric(app))
    desk.query.add_visit()
    app.run()
    assert int(_metric(app)) == before + 1


def test_the_watch_runs_often_enough_for_sixty_seconds() -> None:
    from dashboards.components.header import WATCH_EVERY_SECONDS

    assert WATCH_EVERY_SECONDS <= 10


def test_a_shared_address_opens_the_same_page(desk: Desk) -> None:
    app = desk.open(
        **{"path": ["region:1", "organisation:11"], "f.visit_reason": "disease", "snapshot": "101"}, **MONTH
    )
    assert not app.exception and not app.error
    expected = [v for v in desk.query._visits[101] if v.organisation == "11" and v.visit_reason == "disease"]
    assert _metric(app) == str(len(expected))
    app.button(key="filter-off-visit_reason-disease").click().run()
    assert "f.visit_reason" not in app.query_params


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ({"from": "2026-12-01", "to": "2026-11-01"}, "Конец периода не может быть раньше его начала."),
        ({"from": "31/31/2026"}, "Запишите дату в виде ДД.ММ.ГГГГ."),
        ({"path": "patient:900101300018"}, "В этом продукте нет такого разреза."),
        ({"path": "doctor:900101300018"}, "Значение задано неверно."),
        ({"f.iin": "1"}, "В этом продукте нет такого фильтра."),
        ({"snapshot": "last"}, "Этот снимок данных больше не хранится. Откройте новый."),
    ],
)
def test_a_wrong_address_is_told_and_the_default_shown(desk: Desk, address: dict[str, str], message: str) -> None:
    app = desk.open(**address)
    assert not app.exception
    assert [error.value for error in app.error] == [message]
    assert _metric(app) == "60"


def test_an_expired_snapshot_is_told_and_the_newest_shown(desk: Desk) -> None:
    app = desk.open(snapshot="7", **MONTH)
    assert [warning.value for warning in app.warning] == ["Этот снимок данных больше не хранится. Откройте новый."]
    assert _metric(app) == "60" and "snapshot" not in app.query_params


def test_no_text_searched_for_reaches_the_address(desk: Desk) -> None:
    app = desk.open(path=["region:1", "organisation:10", "department:101", "doctor:101"], **MONTH)
    search = next(box for box in app.text_input if box.label == "Поиск")
    name = app.dataframe[-1].value.iloc[0]["Пациент"]
    search.set_value(name).run()
    assert len(app.dataframe[-1].value) == 1
    address = str(dict(app.query_params))
    assert name not in address and not re.search(r"\d{12}", address)
    search.set_value("nobody").run()
    assert any(info.value == "По запросу ничего не найдено." for info in app.info)


def test_rows_are_paged_and_written_in_the_form_of_the_region(desk: Desk) -> None:
    app = desk.open()
    app.toggle[0].set_value(True).run()
    assert len(app.dataframe[-1].value) == 50
    assert any("1–50 из 60" in text.value for text in app.markdown)
    app.number_input[0].set_value(2).run()
    assert len(app.dataframe[-1].value) == 10


def test_without_the_right_to_rows_and_files_neither_is_offered(desk: Desk) -> None:
    desk.store.users["a"] = FakeIdentity(permissions=frozenset({"analytics.read"}))
    app = desk.open()
    assert not app.exception and not app.toggle
    assert "excel" not in [button.key for button in app.button]
    desk.open(path=["region:1", "organisation:10", "department:101", "doctor:101"], **MONTH)
    assert not [asked for asked in desk.query.asked if asked[0] == "rows"]


def test_the_scope_of_the_user_goes_with_every_list(desk: Desk) -> None:
    desk.store.users["a"] = FakeIdentity(user_id=9, permissions=ALL - {"analytics.identifiers"}, organisation_ids=(7,))
    app = desk.open()
    app.toggle[0].set_value(True).run()
    scopes = [asked for kind, asked in desk.query.asked if kind == "rows"]
    assert scopes and all(scope.organisation_ids == {7} and not scope.show_identifiers for scope in scopes)


def test_excel_orders_exactly_the_level_and_then_links_to_it(desk: Desk) -> None:
    app = desk.open(path=["region:1", "organisation:10"], snapshot="101", **MONTH)
    app.button(key="excel").click().run()
    (order,) = desk.unloads.orders
    assert order.product_id == "DASH-01" and order.snapshot_id == 101
    assert order.selection.path == (("region", "1"), ("organisation", "10"))
    link = app.link_button[0]
    assert link.url.endswith("/unloads/701") and link.url.startswith("http://127.0.0.1:")


def test_a_refused_unload_is_told(desk: Desk) -> None:
    desk.unloads.refusal = "excel.unreachable"
    app = desk.open()
    app.button(key="excel").click().run()
    assert [error.value for error in app.error] == ["Служба выгрузок не ответила. Повторите попытку."]


def test_an_empty_period_says_so(desk: Desk) -> None:
    app = desk.open(**{"from": "2020-01-01", "to": "2020-01-31"})
    assert not app.exception and _metric(app) == "0" and app.metric[1].value == "—"
    assert any("данных нет" in info.value for info in app.info)


@pytest.mark.parametrize(
    ("state", "text"),
    [("different", "red[сверка: есть расхождение]"), ("published", "gray[сверка: ещё не проводилась]")],
)
def test_the_state_of_the_reconciliation_is_shown(desk: Desk, state: str, text: str) -> None:
    desk.query.state = state
    assert text in _texts(desk.open())


def test_nothing_published_is_a_message(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing() -> None:
        raise NothingPublished

    monkeypatch.setattr(desk.query, "current", nothing)
    app = desk.open()
    assert not app.exception and "ещё не опубликованы" in app.error[0].value


def test_a_fault_is_told_and_logged_without_its_text(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("9001" + "01300018")

    monkeypatch.setattr(desk.query, "figures", broken)
    app = desk.open()
    assert not app.exception and "Не удалось построить страницу" in app.error[0].value
    assert "RuntimeError" in caplog.text and "900101300018" not in caplog.text


@pytest.mark.requirement("LIVE-04")
def test_the_board_puts_what_needs_attention_first_and_opens_it(desk: Desk) -> None:
    app = desk.open("LIVE-04")
    assert not app.exception
    assert "Требует внимания" in _texts(app)
    flags = [button for button in app.button if str(button.key).startswith("flag-organisation")]
    assert flags
    assert flags[0].key == "flag-organisation-10-visits"
    flags[0].click().run()
    assert not app.exception and _address(app, "path") == ["organisation:10"]
    assert any(subheader.value.startswith("В разрезе: department") for subheader in app.subheader)


def test_a_preset_and_typed_days_change_the_period(desk: Desk) -> None:
    app = desk.open()
    preset = next(box for box in app.selectbox if box.label == "Период")
    preset.set_value("previous_month").run()
    assert _address(app, "from") == ["2026-10-01"] and _address(app, "to") == ["2026-10-31"]
    app.date_input(key="from").set_value(date(2026, 11, 5)).run()
    assert not app.exception
    assert [error.value for error in app.error] == ["Конец периода не может быть раньше его начала."]
    assert app.date_input(key="from").value == date(2026, 11, 5)
    app.date_input(key="to").set_value(date(2026, 11, 6)).run()
    assert not app.error and _address(app, "from") == ["2026-11-05"]


def test_a_kazakh_user_reads_kazakh_and_sees_the_mark_of_a_missing_name(desk: Desk) -> None:
    desk.store.users["a"] = FakeIdentity(language="kk", permissions=ALL)
    app = desk.open()
    text = _texts(app)
    assert "салыстыру: сәйкес" in text and "сверка" not in text
    opener = next(box for box in app.selectbox if box.label == "Ашу")
    assert opener.options == ["region 1 қаз *"]


def test_the_script_lists_all_products_and_names_the_user(desk: Desk) -> None:
    app = AppTest.from_file(str(SCRIPT), default_timeout=30).run()
    assert not app.exception
    assert app.title[0].value == "Аналитические продукты"
    assert any(caption.value == "Chief Physician" for caption in app.sidebar.caption)


def test_another_user_finds_nothing_of_the_earlier_one_in_the_tab(desk: Desk) -> None:
    app = AppTest.from_file(str(SCRIPT), default_timeout=30).run()
    app.session_state["search-x"] = "Patient 01"
    desk.store.users["a"] = FakeIdentity(user_id=2, permissions=ALL)
    app.run()
    assert "search-x" not in app.session_state


def test_a_run_without_a_session_draws_nothing(desk: Desk) -> None:
    desk.store.users.clear()
    app = AppTest.from_file(str(SCRIPT), default_timeout=30).run()
    assert not app.exception and not app.title and not app.markdown


def test_an_unload_of_cells_lists_its_cells_first(desk: Desk) -> None:
    app = desk.open("XLS-01")
    app.toggle[0].set_value(True).run()
    assert not app.exception
    assert list(app.dataframe[-1].value.columns) == ["Повод", "Посещения"]
    chooser = next(box for box in app.selectbox if box.label == "Строки показателя")
    chooser.set_value("").run()
    assert len(app.dataframe[-1].value) == 50
