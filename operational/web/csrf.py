"""Protection against forged requests: every unsafe request of a cookie-signed browser carries a token.

The token is derived from the secret cookie (session, or a random one before sign-in), so it is bound to it,
and is masked anew in every page because pages are compressed (BREACH). A bearer token needs none.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from http.cookies import SimpleCookie
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SESSION_COOKIE = "kmis_session"
ANONYMOUS_COOKIE = "kmis_anonymous"
HEADER = "x-csrf-token"
FIELD = "csrf_token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
BODY_LIMIT = 20 * 1024 * 1024


def _secret(cookie: str) -> bytes:
    return hashlib.sha256(b"kmis csrf " + cookie.encode()).digest()


def make_token(cookie: str) -> str:
    """A token for a page, bound to the secret cookie and different each time."""
    mask = secrets.token_bytes(32)
    return (mask + bytes(a ^ b for a, b in zip(mask, _secret(cookie), strict=True))).hex()


def token_matches(cookie: str, token: str) -> bool:
    """Whether the token was made for this cookie."""
    try:
        raw = bytes.fromhex(token)
    except ValueError:
        return False
    if len(raw) != 64:
        return False
    unmasked = bytes(a ^ b for a, b in zip(raw[:32], raw[32:], strict=True))
    return hmac.compare_digest(unmasked, _secret(cookie))


def token_of(request: Request) -> str:
    """The token for a page rendered in answer to this request."""
    cookie = request.cookies.get(SESSION_COOKIE) or getattr(request.state, "anonymous_secret", "")
    return make_token(str(cookie))


class CsrfMiddleware:
    """Refuses unsafe requests without a valid token with 403, and gives visitors a secret cookie."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the request, then hand it on with its body intact."""
        if scope["type"] != "http" or scope["path"].startswith("/static/"):
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        anonymous = request.cookies.get(ANONYMOUS_COOKIE) or ""
        fresh = "" if anonymous else secrets.token_urlsafe(24)
        scope.setdefault("state", {})["anonymous_secret"] = anonymous or fresh
        if request.method not in SAFE_METHODS and not _program(request):
            receive, token = await _token_sent(request, receive)
            cookie = request.cookies.get(SESSION_COOKIE) or anonymous
            if not cookie or not token_matches(cookie, token):
                await PlainTextResponse("CSRF token missing or wrong; reload the page.", 403)(scope, receive, send)
                return

        async def send_with_cookie(message: Message) -> None:
            if fresh and message["type"] == "http.response.start":
                jar: SimpleCookie = SimpleCookie()
                jar[ANONYMOUS_COOKIE] = fresh
                for name, value in (("path", "/"), ("httponly", "1"), ("samesite", "Lax")):
                    jar[ANONYMOUS_COOKIE][name] = value
                MutableHeaders(scope=message).append("set-cookie", jar.output(header="").strip())
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _program(request: Request) -> bool:
    """A request that a browser cannot be tricked into.

    It has no session cookie, and a token in the header or a JSON body, which another site may send only after a
    preflight that we never answer.
    """
    if SESSION_COOKIE in request.cookies:
        return False
    bearer = request.headers.get("authorization", "").startswith("Bearer ")
    return bearer or request.headers.get("content-type", "").startswith("application/json")


async def _token_sent(request: Request, receive: Receive) -> tuple[Receive, str]:
    """The token of the header, else of the form; and a receiver that gives the body once more."""
    if token := request.headers.get(HEADER):
        return receive, token
    if not request.headers.get("content-type", "").startswith(FORM_TYPES):
        return receive, ""
    messages: list[Message] = []
    size, more = 0, True
    while more and size <= BODY_LIMIT:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)

    def replay() -> Receive:
        pending = list(messages)

        async def again() -> Message:
            return pending.pop(0) if pending else await receive()

        return again

    form = await Request(request.scope, replay()).form()
    value: Any = form.get(FIELD, "")
    await form.close()
    return replay(), value if isinstance(value, str) else ""
