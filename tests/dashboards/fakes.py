"""Stand-ins for the operational sessions and an ASGI client that talks to the guard without a port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Message = MutableMapping[str, Any]


@dataclass(frozen=True)
class FakeIdentity:
    user_id: int = 1
    login: str = "chief"
    display_name: str = "Chief Physician"
    language: str = "ru"
    permissions: frozenset[str] = frozenset({"analytics.view"})
    organisation_ids: tuple[int, ...] = (10,)


@dataclass
class FakeStore:
    """Tokens and their users; `broken` makes it raise as a store that is down does."""

    users: dict[str, FakeIdentity] = field(default_factory=dict)
    broken: bool = False
    asked: int = 0

    def check(self, token: str) -> FakeIdentity | None:
        self.asked += 1
        if self.broken:
            raise ConnectionError("store is down")
        return self.users.get(token)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


ASGIApp = Callable[..., Awaitable[None]]


def http_scope(path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    if "host" not in headers:
        raw.append((b"host", b"kmis.example:8501"))
    return {
        "type": "http",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": raw,
        "client": ("192.0.2.1", 5000),
        "server": ("kmis.example", 8501),
    }


async def ask(app: ASGIApp, path: str, method: str = "GET", **headers: str) -> Answer:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(http_scope(path, method, **headers), receive, send)
    start = sent[0]
    return Answer(
        start["status"],
        {name.decode().lower(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


class Socket:
    """One WebSocket conversation with an ASGI application."""

    def __init__(self, app: ASGIApp, path: str = "/_stcore/stream", **headers: str) -> None:
        scope = http_scope(path, **headers)
        del scope["method"]
        scope |= {"type": "websocket", "scheme": "ws", "subprotocols": ["streamlit"]}
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._outgoing: asyncio.Queue[Message] = asyncio.Queue()
        self._incoming.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.ensure_future(app(scope, self._incoming.get, self._outgoing.put))

    async def say(self, text: str) -> None:
        await self._incoming.put({"type": "websocket.receive", "bytes": text.encode()})

    async def leave(self) -> None:
        await self._incoming.put({"type": "websocket.disconnect", "code": 1000})
        await self.task

    async def hear(self) -> Message:
        async with asyncio.timeout(5):
            return await self._outgoing.get()


class EchoApp:
    """The application inside the guard: answers every path and echoes every frame."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.disconnects: list[int] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append(scope)
        if scope["type"] == "http":
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [(b"content-type", b"text/html"), (b"cache-control", b"public")],
                }
            )
            await send({"type": "http.response.body", "body": b"inner"})
            return
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "streamlit"})
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.disconnects.append(message["code"])
                return
            await send({"type": "websocket.send", "bytes": message["bytes"]})
