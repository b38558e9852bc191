"""The ASGI guard: no page, medium, upload or WebSocket of the wrapped application without a valid session.

The wrapped application (Streamlit, Dagster's UI) has no users of its own. The guard asks the operational
session behind the cookie on every HTTP request and, on an open WebSocket, every few seconds; it closes the
socket with 4401 when the session is revoked, expires, is signed out or when the browser changes its user.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from dashboards.refusals import (
    FOREIGN_ORIGIN,
    NOT_PERMITTED,
    SIGNED_OUT,
    UNAVAILABLE,
    Refusal,
    refusal_page,
)
from dashboards.sessions import (
    BROWSER_COOKIE,
    COOKIE,
    SessionIdentity,
    Sessions,
    fingerprint,
    read_cookies,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

SCOPE_KEY: Final = "kmis.session"
HEALTH_PATH: Final = "/healthz"
WATCH_PATH: Final = "/_kmis/session"
WATCH_SCRIPT_PATH: Final = "/_kmis/session.js"
current_identity: ContextVar[SessionIdentity | None] = ContextVar("kmis_identity", default=None)

_log = logging.getLogger(__name__)
_HOST_AND_PORT = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LAST_WORD_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """What the guard asks for and how it answers.

    `check_every` is in seconds. The policies may hold `{host}` for the Host of the request. An application
    that sends a content policy of its own keeps it, narrowed by `narrowing_policy`; one without gets
    `content_security_policy`. Framing, base address and form targets are restricted in both cases.
    """

    permission: str
    sign_in_port: int
    sign_in_path: str = "/sign-in"
    check_every: float = 3.0
    content_security_policy: str = "default-src 'self'"
    narrowing_policy: str = "object-src 'none'"


@dataclass(eq=False, slots=True)
class _OpenSocket:
    token_print: str
    browser: str | None
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class _Entry:
    token: str
    identity: SessionIdentity


class Guard:
    """Pure ASGI middleware; one instance serves one inner application."""

    def __init__(self, app: ASGIApp, sessions: Sessions, policy: GuardPolicy) -> None:
        self._app = app
        self._sessions = sessions
        self._policy = policy
        self._sockets: set[_OpenSocket] = set()
        self._watch_script = (Path(__file__).parent / "static" / "session.js").read_bytes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        else:
            raise RuntimeError(f"the guard lets no {scope['type']!r} through")

    # ---- HTTP ---------------------------------------------------------------------------------------------

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path == HEALTH_PATH:
            await self._answer(send, 200, b"ok", "text/plain; charset=utf-8")
            return
        cookies = read_cookies(scope["headers"])
        verdict = await self._judge(scope, cookies)
        if isinstance(verdict, Refusal):
            page = refusal_page(verdict, self._sign_in_url(scope))
            await self._answer(send, verdict.status, page, "text/html; charset=utf-8")
            return
        if path == WATCH_SCRIPT_PATH:
            await self._answer(send, 200, self._watch_script, "text/javascript; charset=utf-8")
            return
        if path == WATCH_PATH:
            body = json.dumps({"session": fingerprint(verdict.token)}).encode()
            await self._answer(send, 200, body, "application/json")
            return
        browser = cookies.get(BROWSER_COOKIE)
        new_browser = None if browser else secrets.token_urlsafe(18)

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = self._secured(list(message.get("headers", [])), scope)
                if new_browser is not None:
                    cookie = f"{BROWSER_COOKIE}={new_browser}; Path=/; HttpOnly; SameSite=Lax"
                    headers.append((b"set-cookie", cookie.encode()))
                message = {**message, "headers": headers}
            await send(message)

        reset = current_identity.set(verdict.identity)
        try:
            await self._app({**scope, SCOPE_KEY: verdict.identity}, receive, guarded_send)
        finally:
            current_identity.reset(reset)

    async def _judge(self, scope: Scope, cookies: dict[str, str]) -> _Entry | Refusal:
        if not self._own_origin(scope):
            return FOREIGN_ORIGIN
        token = cookies.get(COOKIE, "")
        try:
            identity = await self._sessions.check(token)
        except Exception:
            # The text of a store's error may quote the query's values.
            _log.error("the session store did not answer; the request is refused")
            return UNAVAILABLE
        self._end_other_users(cookies.get(BROWSER_COOKIE), fingerprint(token) if identity else "")
        if identity is None:
            return SIGNED_OUT
        if self._policy.permission not in identity.permissions:
            return NOT_PERMITTED
        return _Entry(token, identity)

    def _own_origin(self, scope: Scope) -> bool:
        """False when a browser says that a page of another host or port sends this request."""
        if scope["type"] == "http" and scope["method"] in _SAFE_METHODS:
            return True
        origin = _header(scope["headers"], b"origin")
        return origin is None or urlsplit(origin).netloc.lower() == _host(scope["headers"]).lower()

    def _sign_in_url(self, scope: Scope) -> str:
        found = _HOST_AND_PORT.fullmatch(_host(scope["headers"]))
        host = found.group(1) if found else "localhost"
        scheme = "https" if scope.get("scheme") in {"https", "wss"} else "http"
        return f"{scheme}://{host}:{self._policy.sign_in_port}{self._policy.sign_in_path}"

    def _secured(self, headers: Headers, scope: Scope) -> Headers:
        own_policy = any(name.lower() == b"content-security-policy" for name, _ in headers)
        policy = self._policy.narrowing_policy if own_policy else self._policy.content_security_policy
        host = _host(scope["headers"])
        policy = policy.replace("{host}", host if _HOST_AND_PORT.fullmatch(host) else "localhost")
        ours = _security_headers(f"{policy}; frame-ancestors 'none'; base-uri 'self'; form-action 'self'")
        if not scope["path"].startswith("/static/"):
            ours.append((b"cache-control", b"no-store"))
        # Several content policies add up, each only narrows; any other header a browser expects once.
        replaced = {name for name, _ in ours} - {b"content-security-policy"}
        return [(name, value) for name, value in headers if name.lower() not in replaced] + ours

    async def _answer(self, send: Send, status: int, body: bytes, content_type: str) -> None:
        policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
        headers = [
            (b"content-type", content_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            *_security_headers(policy),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    # ---- WebSocket ----------------------------------------------------------------------------------------

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        connect = await receive()
        cookies = read_cookies(scope["headers"])
        verdict = await self._judge(scope, cookies)
        if isinstance(verdict, Refusal):
            # A browser is told a close code only on an accepted socket; nothing of the application is sent.
            offered = scope.get("subprotocols") or [None]
            await send({"type": "websocket.accept", "subprotocol": offered[0]})
            await send({"type": "websocket.close", "code": verdict.close_code, "reason": verdict.reason})
            return
        socket = _OpenSocket(fingerprint(verdict.token), cookies.get(BROWSER_COOKIE))
        self._sockets.add(socket)
        try:
            await self._serve_socket(scope, connect, receive, send, socket, verdict)
        finally:
            self._sockets.discard(socket)

    async def _serve_socket(
        self, scope: Scope, connect: Message, receive: Receive, send: Send, socket: _OpenSocket, entry: _Entry
    ) -> None:
        closed = asyncio.Event()
        sending = asyncio.Lock()
        first: list[Message] = [connect]

        async def inner_receive() -> Message:
            if first:
                return first.pop()
            incoming = asyncio.ensure_future(receive())
            ending = asyncio.ensure_future(closed.wait())
            try:
                await asyncio.wait({incoming, ending}, return_when=asyncio.FIRST_COMPLETED)
                if closed.is_set():
                    return {"type": "websocket.disconnect", "code": 4401}
                return incoming.result()
            finally:
                incoming.cancel()
                ending.cancel()

        async def inner_send(message: Message) -> None:
            async with sending:
                if closed.is_set():
                    raise OSError("the guard has closed this socket")
                await send(message)

        inner_scope = {**scope, SCOPE_KEY: entry.identity}
        reset = current_identity.set(entry.identity)
        serving = asyncio.ensure_future(self._app(inner_scope, inner_receive, inner_send))
        current_identity.reset(reset)
        watching = asyncio.ensure_future(self._watch(entry, socket))
        try:
            await asyncio.wait({serving, watching}, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
                return
            refusal = watching.result()
            closed.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WORD_SECONDS), sending:
                    await send({"type": "websocket.close", "code": refusal.close_code, "reason": refusal.reason})
            await asyncio.wait({serving}, timeout=_LAST_WORD_SECONDS)
        finally:
            for task in (serving, watching):
                task.cancel()
            await asyncio.gather(serving, watching, return_exceptions=True)

    async def _watch(self, entry: _Entry, socket: _OpenSocket) -> Refusal:
        """Returns when the socket has to be closed, with the reason."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._policy.check_every):
                    await socket.ended.wait()
            if socket.ended.is_set():
                return SIGNED_OUT
            try:
                identity = await self._sessions.check(entry.token)
            except Exception:
                _log.error("the session store did not answer; an open socket is closed")
                return UNAVAILABLE
            if identity is None or identity.user_id != entry.identity.user_id:
                return SIGNED_OUT
            if self._policy.permission not in identity.permissions:
                return NOT_PERMITTED

    def _end_other_users(self, browser: str | None, token_print: str) -> None:
        """Closes what this browser still holds open for a session other than the one it now presents."""
        if browser is None:
            return
        for socket in self._sockets:
            if socket.browser == browser and socket.token_print != token_print:
                socket.ended.set()


def _header(headers: Headers, name: bytes) -> str | None:
    for key, value in headers:
        if key.lower() == name:
            return value.decode("latin-1")
    return None


def _host(headers: Headers) -> str:
    return _header(headers, b"host") or ""


def _security_headers(policy: str) -> Headers:
    return [
        (b"content-security-policy", policy.encode("latin-1")),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"same-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
