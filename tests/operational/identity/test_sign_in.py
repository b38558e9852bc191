"""Sign-in, lock after failures, sessions, passwords, language, as a browser sees them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta

import psycopg
from fastapi import FastAPI
from starlette.testclient import TestClient

from kmis import session as sessions
from kmis.clock import FixedClock, SystemClock
from kmis.settings import Settings
from operational.domains.identity.limiter import LIMIT, WINDOW, FailureWindow
from tests.operational.web.conftest import PASSWORD, csrf_of, post

MakeUser = Callable[..., tuple[int, str]]
SignedIn = Callable[..., TestClient]


def enter(client: TestClient, login: str, password: str, **more: str) -> int:
    status: int = post(client, "/sign-in", {"login": login, "password": password, **more}, "/sign-in").status_code
    return status


def test_session_cookie_and_its_store(settings: Settings, client: TestClient, make_user: MakeUser) -> None:
    key, login = make_user("doctor")
    answer = post(client, "/sign-in", {"login": login.upper(), "password": PASSWORD, "next": "/account"}, "/sign-in")
    assert answer.headers["location"] == "/account"
    cookie = next(v for v in answer.headers.get_list("set-cookie") if v.startswith("kmis_session="))
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "domain" not in cookie.lower()
    token = client.cookies["kmis_session"]
    info = sessions.check(settings, token)
    assert info is not None
    assert (info.user_id, info.login) == (key, login)
    assert "encounters.sign" in info.permissions
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        stored = connection.execute("select token_hash from user_session where user_id = %s", (key,)).fetchone()
        hashed = connection.execute("select password_hash from app_user where id = %s", (key,)).fetchone()
    assert stored == (hashlib.sha256(token.encode()).digest(),)
    assert hashed is not None
    assert hashed[0].startswith("$argon2id$")
    assert sessions.check(settings, token + "x") is None
    assert sessions.check(settings, "x" * 300) is None


def test_scope_is_the_organisation_and_all_below(
    settings: Settings, world: dict[str, int], signed_in: SignedIn
) -> None:
    info = sessions.check(settings, signed_in("regional_manager", organisation="region").cookies["kmis_session"])
    assert info is not None
    assert {world["region"], world["polyclinic"], world["other"]} <= info.organisation_ids
    info = sessions.check(settings, signed_in("doctor").cookies["kmis_session"])
    assert info is not None
    assert info.organisation_ids == {world["polyclinic"]}


def test_wrong_credentials_tell_nothing_and_leave_a_trace(
    settings: Settings, client: TestClient, make_user: MakeUser
) -> None:
    key, login = make_user()
    wrong = post(client, "/sign-in", {"login": login, "password": "wrong"}, "/sign-in")
    unknown = post(client, "/sign-in", {"login": "nobody-at-all", "password": "wrong"}, "/sign-in")
    assert wrong.status_code == unknown.status_code == 422
    for page in (wrong, unknown):
        assert "Логин немесе құпиясөз қате." in page.text
        assert "wrong" not in page.text
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        row = connection.execute(
            "select detail->>'reason' from audit_event where user_id = %s and action = 'sign_in.failed'", (key,)
        ).fetchall()
    assert row == [("password",)]


def test_five_failures_close_the_account_for_a_quarter(app: FastAPI, client: TestClient, make_user: MakeUser) -> None:
    _, login = make_user()
    app.state.clock = FixedClock(SystemClock().now())
    assert [enter(client, login, "wrong") for _ in range(5)] == [422] * 5
    assert enter(client, login, PASSWORD) == 429
    app.state.clock.at += timedelta(minutes=16)
    assert enter(client, login, "wrong") == 422
    assert enter(client, login, PASSWORD) == 303


def test_address_that_guesses_is_slowed() -> None:
    window, now = FailureWindow(), SystemClock().now()
    for _ in range(LIMIT):
        assert not window.closed("address", now)
        window.failed("address", now)
    assert window.closed("address", now)
    assert not window.closed("another", now)
    assert not window.closed("address", now + WINDOW)


def test_next_stays_on_this_site(client: TestClient, make_user: MakeUser) -> None:
    _, login = make_user()
    for foreign in ("//evil.example", "https://evil.example", "/\\evil.example"):
        browser = TestClient(client.app)
        answer = post(browser, "/sign-in", {"login": login, "password": PASSWORD, "next": foreign}, "/sign-in")
        assert answer.headers["location"] == "/"


def test_sign_out_ends_the_session(settings: Settings, signed_in: SignedIn) -> None:
    browser = signed_in()
    token = browser.cookies["kmis_session"]
    answer = post(browser, "/sign-out", {})
    assert answer.headers["location"] == "/sign-in"
    assert answer.headers["clear-site-data"] == '"storage"'
    assert sessions.check(settings, token) is None
    assert browser.get("/account", follow_redirects=False).headers["location"] == "/sign-in?next=/account"


def test_own_sessions_are_listed_and_ended(app: FastAPI, signed_in: SignedIn) -> None:
    browser = signed_in()
    second = TestClient(app, raise_server_exceptions=False)
    assert enter(second, browser.login, PASSWORD) == 303
    page = browser.get("/account").text
    key = re.search(r"/account/sessions/(\d+)/revoke", page)
    assert key is not None
    assert post(signed_in(), key.group(), {}).status_code == 404
    assert second.get("/account", follow_redirects=False).status_code == 200
    assert post(browser, key.group(), {}).status_code == 303
    assert second.get("/account", follow_redirects=False).status_code == 303
    assert "Сеанс завершён." in browser.get("/account").text
    assert "Сеанс завершён." not in browser.get("/account").text


def test_change_of_password(app: FastAPI, signed_in: SignedIn) -> None:
    browser = signed_in()
    other = TestClient(app, raise_server_exceptions=False)
    assert enter(other, browser.login, PASSWORD) == 303
    good = {"current": PASSWORD, "new": "Another-Word-99", "repeat": "Another-Word-99"}
    for change, field in (
        ({"current": "wrong"}, "current"),
        ({"new": "short1", "repeat": "short1"}, "new"),
        ({"new": "aaaaaaaaaaaa", "repeat": "aaaaaaaaaaaa"}, "new"),
        ({"repeat": "Another-Word-98"}, "repeat"),
    ):
        answer = post(browser, "/account/password", good | change)
        assert answer.status_code == 422
        assert f'id="e-{field}"' in answer.text
        assert "Another-Word" not in answer.text
    assert post(browser, "/account/password", good).status_code == 303
    assert browser.get("/account", follow_redirects=False).status_code == 200
    assert other.get("/account", follow_redirects=False).status_code == 303
    assert enter(other, browser.login, PASSWORD) == 422
    assert enter(other, browser.login, "Another-Word-99") == 303


def test_language_is_the_users_own(client: TestClient, signed_in: SignedIn, make_user: MakeUser) -> None:
    assert '<html lang="kk">' in client.get("/sign-in").text
    assert post(client, "/language", {"language": "ru", "next": "/sign-in"}, "/sign-in").status_code == 303
    assert "Вход в систему" in client.get("/sign-in").text
    _, login = make_user(language="kk")
    assert enter(client, login, PASSWORD) == 303
    assert '<html lang="ru">' in client.get("/").text
    assert "kmis_language" not in client.cookies
    browser = signed_in(language="ru")
    assert post(browser, "/language", {"language": "kk", "next": "/account"}).headers["location"] == "/account"
    assert "Менің есептік жазбам" in browser.get("/account").text
    assert post(browser, "/language", {"language": "en"}).status_code == 404


def test_program_signs_in_with_a_token(app: FastAPI, make_user: MakeUser) -> None:
    _, login = make_user("registrar")
    program = TestClient(app, raise_server_exceptions=False)
    refused = program.post("/api/sign-in", json={"login": login, "password": "wrong"})
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    token = program.post("/api/sign-in", json={"login": login, "password": PASSWORD}).json()["token"]
    bearer = {"authorization": f"Bearer {token}"}
    program.cookies.clear()
    me = program.get("/api/account", headers=bearer).json()
    assert me["login"] == login
    assert "patients.register" in me["permissions"]
    assert program.get("/api/account").status_code == 401
    assert program.post("/api/sign-out", headers=bearer).status_code == 204
    assert program.get("/api/account", headers=bearer).status_code == 401


def test_home_shows_what_the_role_may_open(signed_in: SignedIn) -> None:
    assert 'href="/users"' in signed_in("administrator").get("/").text
    doctor = signed_in("doctor")
    page = doctor.get("/").text
    assert 'href="/users"' not in page
    assert "Врач" in page
    assert doctor.get("/users").status_code == 403


def test_page_names_csrf_field(client: TestClient) -> None:
    assert len(csrf_of(client.get("/sign-in").text)) == 128
