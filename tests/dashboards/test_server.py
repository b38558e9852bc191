"""Streamlit's page inside the guard, its content policy, and what may be done in Dagster's interface."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from dagster import DagsterInstance
from starlette.requests import HTTPConnection
from streamlit import config

from dashboards import services
from dashboards.dagster_ui import GuardedWorkspace, LateApp
from dashboards.dagster_ui import build as build_dagster
from dashboards.guard import SCOPE_KEY
from dashboards.server import build
from dashboards.sessions import Sessions
from dashboards.shell import Shell
from kmis import session
from kmis.settings import Settings
from tests.dashboards.fakes import EchoApp, FakeIdentity, FakeStore, Socket, ask


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def test_the_page_is_streamlits_with_the_watch_and_only_hashed_inline_scripts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "_sessions", None)
    store = FakeStore({"a": FakeIdentity(permissions=frozenset({"analytics.read"}))})
    app = build(settings, Sessions(store.check, lifetime=0))

    async def scenario() -> None:
        assert (await ask(app, "/dash-01")).status == 401
        answer = await ask(app, "/dash-01", cookie="kmis_session=a")
        page, policy = answer.body.decode(), answer.headers["content-security-policy"]
        assert answer.status == 200 and '<script src="/_kmis/session.js" defer>' in page
        assert "<title>Streamlit</title>" not in page
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
        assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")
        assert len(re.findall(r"<script>", page)) == len(re.findall(r"'sha256-", policy))
        assert "ws://kmis.example:8501" in policy and "default-src 'none'" in policy

    asyncio.run(scenario())
    assert config.get_option("browser.gatherUsageStats") is False
    assert config.get_option("server.fileWatcherType") == "none"
    assert config.get_option("client.disableDataExport") is True


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/", True),
        ("/xls-01", True),
        ("/dash-01/_stcore/health", False),
        ("/_stcore/host-config", False),
        ("/media/1.xlsx", False),
        ("/static/js/a.js", False),
        ("/favicon.png", False),
    ],
)
def test_the_shell_answers_page_addresses_only(path: str, own: bool) -> None:
    inner = EchoApp()
    asyncio.run(ask(Shell(inner, "t"), path))
    assert (inner.seen == []) is own


def test_who_must_change_the_password_is_not_let_in(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(must_change_password=True)
    monkeypatch.setattr(session, "check", lambda settings, token: found)
    check = services.session_checker(settings)
    assert check("a") is None
    found.must_change_password = False
    assert check("a") is found


def test_dagster_stands_behind_its_own_permission(settings: Settings) -> None:
    store = FakeStore(
        {
            "chief": FakeIdentity(permissions=frozenset({"analytics.read"})),
            "engineer": FakeIdentity(permissions=frozenset({"pipelines.read"})),
        }
    )
    inner = EchoApp()
    app = build_dagster(inner, settings, Sessions(store.check, lifetime=0))

    async def scenario() -> None:
        assert (await ask(app, "/graphql", "POST")).status == 401
        assert (await ask(app, "/graphql", "POST", cookie="kmis_session=chief")).status == 403
        assert (await ask(app, "/server_info", cookie="kmis_session=engineer")).status == 200

    asyncio.run(scenario())
    assert len(inner.seen) == 1


def test_dagster_answers_that_it_is_starting_until_it_is_there() -> None:
    late, inner = LateApp("http://kmis.example:8000/"), EchoApp()

    async def scenario() -> None:
        early = await ask(late, "/")
        assert early.status == 503 and "Запускается" in early.body.decode()
        assert (await Socket(late).hear())["code"] == 1013
        late.ready(inner)
        assert (await ask(late, "/")).body == b"inner"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("permissions", "read_only"),
    [({"pipelines.read"}, True), ({"pipelines.read", "pipelines.run"}, False), (None, True)],
)
def test_only_holders_of_the_right_may_change_anything_in_dagster(
    tmp_path: Path, permissions: set[str] | None, read_only: bool
) -> None:
    scope = {"type": "http", "headers": []}
    if permissions is not None:
        scope[SCOPE_KEY] = FakeIdentity(permissions=frozenset(permissions))
    with (
        DagsterInstance.local_temp(str(tmp_path)) as instance,
        GuardedWorkspace(instance, None) as workspace,
    ):
        assert workspace.create_request_context(HTTPConnection(scope)).read_only is read_only
        assert workspace.create_request_context(None).read_only is True
