"""Finds the session of each request and puts the viewer on it."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from kmis import session
from kmis.settings import Settings
from operational.web.viewer import Viewer

BEARER = "Bearer "


def token_of(request: Request) -> str | None:
    """The token of the cookie, or of a program's `Authorization: Bearer` header."""
    if cookie := request.cookies.get(session.COOKIE):
        return cookie
    header = request.headers.get("authorization", "")
    return header.removeprefix(BEARER) if header.startswith(BEARER) else None


class SessionMiddleware:
    """Sets `request.state.viewer` from the live session, None for nobody."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look the session up (one query), then hand on."""
        if scope["type"] == "http" and not scope["path"].startswith("/static/"):
            token = token_of(Request(scope))
            info = await run_in_threadpool(self._find, token) if token else None
            scope.setdefault("state", {})["viewer"] = Viewer.of(info) if info else None
        await self.app(scope, receive, send)

    def _find(self, token: str) -> session.SessionInfo | None:
        info = session.check(self.settings, token)
        if info is not None:
            session.touch(self.settings, info.session_id)
        return info
