"""An application of the shell and identity alone, so that these tests stand apart from the other domains."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.testclient import TestClient

from kmis.clock import SystemClock
from kmis.settings import Settings
from operational.domains.identity import api, pages, passwords
from operational.domains.identity.commands import add_user
from operational.domains.identity.middleware import SessionMiddleware
from operational.web import drafts
from operational.web.setup import install

PASSWORD = "an-Honest-Word-7"
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')
_numbers = itertools.count(1)

SignIn = Callable[..., TestClient]


def csrf_of(page: str) -> str:
    """The token that a page carries."""
    found = TOKEN.search(page)
    assert found is not None
    return found.group(1)


def post(client: TestClient, url: str, data: dict[str, str], page: str = "/account"):  # type: ignore[no-untyped-def]  # httpx or httpx2
    """Send a form as a browser does: with the token of the page that it stands on."""
    token = csrf_of(client.get(page).text)
    return client.post(url, data={**data, "csrf_token": token}, follow_redirects=False)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with the smallest cost: what it costs an attacker is the library's matter, not these tests'."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: cheap)


@pytest.fixture
def app(settings: Settings, world: dict[str, int]) -> FastAPI:
    app = FastAPI()
    app.state.clock = SystemClock()
    app.add_middleware(SessionMiddleware, settings=settings)
    install(app, settings, pages=[pages, drafts])
    for module in (api, pages, drafts):
        app.include_router(module.router)
    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def make_user(settings: Settings, world: dict[str, int]) -> Callable[..., tuple[int, str]]:
    """Makes a user of a role in the polyclinic (or elsewhere) with the known password: (key, login)."""

    def make(role: str = "doctor", organisation: str = "polyclinic", **more: object) -> tuple[int, str]:
        login = f"{role}{next(_numbers)}"
        wanted = {"password": PASSWORD, "language": "ru", **more}
        key, _ = add_user(settings, login, "Тест Қызметкер", role, world[organisation], **wanted)  # type: ignore[arg-type]  # keyword arguments by name
        return key, login

    return make


@pytest.fixture
def signed_in(app: FastAPI, make_user: Callable[..., tuple[int, str]]) -> Iterator[SignIn]:
    """Gives a browser in which a fresh user of the role is signed in; `browser.login`, `browser.user_id` name them."""
    opened: list[TestClient] = []

    def sign_in(role: str = "doctor", **more: object) -> TestClient:
        user_id, login = make_user(role, **more)
        browser = TestClient(app, raise_server_exceptions=False)
        opened.append(browser)
        answer = post(browser, "/sign-in", {"login": login, "password": PASSWORD}, page="/sign-in")
        assert answer.status_code == 303, answer.text
        browser.login, browser.user_id = login, user_id
        return browser

    yield sign_in
    for browser in opened:
        browser.close()
