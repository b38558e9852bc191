"""The guard lets nothing through without a session and closes what is open when the session ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from dashboards.guard import SCOPE_KEY, Guard, GuardPolicy
from dashboards.sessions import Sessions, read_cookies
from tests.dashboards.fakes import EchoApp, FakeIdentity, FakeStore, Socket, ask

PATHS = (
    "/",
    "/dash-01",
    "/media/0123.xlsx",
    "/_stcore/upload_file/a/b",
    "/_stcore/health",
    "/_stcore/host-config",
    "/static/js/index.js",
    "/component/x/y.js",
    "/graphql",
    "/_kmis/session",
    "/_kmis/session.js",
    "/healthz/../dash-01",
)
CHECK_EVERY = 0.02


@pytest.fixture
def store() -> FakeStore:
    return FakeStore({"a": FakeIdentity(1), "b": FakeIdentity(2), "weak": FakeIdentity(3, permissions=frozenset())})


@pytest.fixture
def inner() -> EchoApp:
    return EchoApp()


@pytest.fixture
def guard(store: FakeStore, inner: EchoApp) -> Guard:
    policy = GuardPolicy("analytics.view", 8000, check_every=CHECK_EVERY)
    return Guard(inner, Sessions(store.check, lifetime=0), policy)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", PATHS)
def test_every_path_is_401_without_a_session(guard: Guard, inner: EchoApp, path: str, method: str) -> None:
    async def scenario() -> None:
        for cookie in ({}, {"cookie": "kmis_session=forged"}, {"cookie": "kmis_session=a; kmis_session=b"}):
            answer = await ask(guard, path, method, x_user="1", x_forwarded_user="chief", **cookie)
            assert answer.status == 401
            text = answer.body.decode()
            assert "Войдите в систему" in text and "Жүйеге кіріңіз" in text
            assert 'href="http://kmis.example:8000/sign-in"' in text
            assert answer.headers["cache-control"] == "no-store"

    run(scenario())
    assert inner.seen == []


def test_healthz_is_the_only_open_path(guard: Guard, inner: EchoApp) -> None:
    async def scenario() -> None:
        assert (await ask(guard, "/healthz")).status == 200

    run(scenario())
    assert inner.seen == []


def test_identity_reaches_the_application_through_the_scope_and_headers_are_set(guard: Guard, inner: EchoApp) -> None:
    async def scenario() -> None:
        answer = await ask(guard, "/dash-01", cookie="kmis_session=a")
        assert answer.status == 200 and answer.body == b"inner"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "HttpOnly" in answer.headers["set-cookie"]

    run(scenario())
    assert inner.seen[0][SCOPE_KEY].user_id == 1


def test_a_missing_permission_is_403_a_broken_store_503(guard: Guard, store: FakeStore, inner: EchoApp) -> None:
    async def scenario() -> None:
        assert (await ask(guard, "/", cookie="kmis_session=weak")).status == 403
        store.broken = True
        assert (await ask(guard, "/", cookie="kmis_session=a")).status == 503

    run(scenario())
    assert inner.seen == []


def test_a_write_from_a_foreign_page_is_refused(guard: Guard, inner: EchoApp) -> None:
    async def scenario() -> None:
        foreign = {"cookie": "kmis_session=a", "origin": "http://evil.example"}
        assert (await ask(guard, "/graphql", "POST", **foreign)).status == 403
        own = {"cookie": "kmis_session=a", "origin": "http://kmis.example:8501"}
        assert (await ask(guard, "/graphql", "POST", **own)).status == 200
        socket = Socket(guard, **foreign)
        assert (await socket.hear())["type"] == "websocket.accept"
        assert (await socket.hear())["code"] == 4403

    run(scenario())
    assert len(inner.seen) == 1


@pytest.mark.parametrize("cookie", ["", "kmis_session=forged", "other=1"])
def test_a_socket_without_a_session_is_closed_with_4401(guard: Guard, inner: EchoApp, cookie: str) -> None:
    async def scenario() -> None:
        socket = Socket(guard, cookie=cookie)
        assert (await socket.hear())["type"] == "websocket.accept"
        assert (await socket.hear())["code"] == 4401
        await socket.task

    run(scenario())
    assert inner.seen == []


def test_a_socket_carries_frames_until_the_client_leaves(guard: Guard, inner: EchoApp) -> None:
    async def scenario() -> None:
        socket = Socket(guard, cookie="kmis_session=a")
        assert (await socket.hear())["type"] == "websocket.accept"
        for text in ("one", "two"):
            await socket.say(text)
            assert (await socket.hear())["bytes"] == text.encode()
        await socket.leave()

    run(scenario())
    assert inner.disconnects == [1000]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda store: store.users.pop("a"), 4401),
        (lambda store: store.users.update(a=FakeIdentity(2)), 4401),
        (lambda store: store.users.update(a=FakeIdentity(1, permissions=frozenset())), 4403),
        (lambda store: setattr(store, "broken", True), 1013),
    ],
    ids=["revoked", "another user", "permission withdrawn", "store down"],
)
def test_an_open_socket_is_closed_when_its_session_ends(
    guard: Guard, store: FakeStore, inner: EchoApp, change: Any, code: int
) -> None:
    async def scenario() -> None:
        socket = Socket(guard, cookie="kmis_session=a")
        assert (await socket.hear())["type"] == "websocket.accept"
        change(store)
        message = await socket.hear()
        assert message["type"] == "websocket.close" and message["code"] == code
        await socket.task

    run(scenario())
    assert inner.disconnects == [4401]


def test_a_change_of_user_in_the_browser_closes_the_sockets_of_the_earlier_one(guard: Guard) -> None:
    async def scenario() -> None:
        first = Socket(guard, cookie="kmis_session=a; kmis_browser=x")
        elsewhere = Socket(guard, cookie="kmis_session=a; kmis_browser=y")
        assert (await first.hear())["type"] == "websocket.accept"
        assert (await elsewhere.hear())["type"] == "websocket.accept"
        assert (await ask(guard, "/dash-01", cookie="kmis_session=b; kmis_browser=x")).status == 200
        assert (await first.hear())["code"] == 4401
        await elsewhere.say("still here")
        assert (await elsewhere.hear())["bytes"] == b"still here"
        await elsewhere.leave()

    run(scenario())


def test_a_stuck_client_does_not_keep_a_revoked_socket(store: FakeStore) -> None:
    async def scenario() -> None:
        stopped = asyncio.Event()

        async def endless(scope: Any, receive: Any, send: Any) -> None:
            await receive()
            await send({"type": "websocket.accept"})
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()

        policy = GuardPolicy("analytics.view", 8000, check_every=CHECK_EVERY)
        socket = Socket(Guard(endless, Sessions(store.check, lifetime=0), policy), cookie="kmis_session=a")
        assert (await socket.hear())["type"] == "websocket.accept"
        store.users.clear()
        assert (await socket.hear())["code"] == 4401
        await socket.task
        assert stopped.is_set()

    run(scenario())


def test_interval_and_cache_together_notice_a_revocation_within_ten_seconds() -> None:
    sessions = Sessions(lambda token: None)
    assert GuardPolicy("p", 1).check_every + sessions._lifetime < 10
    with pytest.raises(ValueError, match="cached"):
        Sessions(lambda token: None, lifetime=3.5)


def test_a_session_is_asked_once_per_lifetime(store: FakeStore) -> None:
    now = [100.0]
    sessions = Sessions(store.check, lifetime=2.0, monotonic=lambda: now[0])
    for _ in range(5):
        assert sessions.look_up("a") is not None
    assert store.asked == 1
    store.users.clear()
    now[0] += 2.0
    assert sessions.look_up("a") is None
    assert store.asked == 2
    assert sessions.look_up("x" * 600) is None and store.asked == 2


def test_cookies_given_twice_with_different_values_are_not_trusted() -> None:
    assert read_cookies([(b"cookie", b"k=1; k=1; j=2")]) == {"k": "1", "j": "2"}
    assert read_cookies([(b"cookie", b"k=1"), (b"Cookie", b"k=2")]) == {}


@pytest.mark.parametrize("host", ["evil; script-src *", 'a"><script>', "", "user@host"])
def test_an_odd_host_enters_neither_the_policy_nor_the_link(store: FakeStore, inner: EchoApp, host: str) -> None:
    policy = GuardPolicy("analytics.view", 8000, content_security_policy="connect-src ws://{host}")
    guard = Guard(inner, Sessions(store.check, lifetime=0), policy)

    async def scenario() -> None:
        allowed = await ask(guard, "/", host=host, cookie="kmis_session=a")
        assert "connect-src ws://localhost;" in allowed.headers["content-security-policy"]
        refused = (await ask(guard, "/", host=host)).body.decode()
        assert "<script" not in refused and "http://" in refused

    run(scenario())
