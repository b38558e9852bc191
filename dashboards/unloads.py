"""Orders of Excel unloads: made and logged by the operational API, never by the dashboards.

The file is served by the API too, after its own access check; a page only shows the link.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

import httpx

from kmis.query import Selection
from kmis.settings import Settings

_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared with, never bound


class UnloadRefused(Exception):
    """The API took no order. `key` names the message of the texts."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class UnloadOrder:
    """What the file shall hold: the rows of one selection of one product at one snapshot."""

    product_id: str
    selection: Selection
    snapshot_id: int
    language: str


class UnloadOrders(Protocol):
    """Takes orders; returns the id of the unload. Raises UnloadRefused."""

    def order(self, token: str, order: UnloadOrder) -> int: ...


class UnloadClient:
    """Talks to `POST /api/unloads` with the user's own session as a bearer token."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        host = _EVERY_ADDRESS.get(settings.host, settings.host)
        self._client = httpx.Client(
            base_url=f"http://{host}:{settings.port}", timeout=20, transport=transport, trust_env=False
        )

    def order(self, token: str, order: UnloadOrder) -> int:
        """The id of the unload that the API has accepted."""
        body = {
            "product": order.product_id,
            "selection": order.selection.to_query(),
            "snapshot": order.snapshot_id,
            "language": order.language,
        }
        try:
            answer = self._client.post("/api/unloads", json=body, headers={"Authorization": f"Bearer {token}"})
        except httpx.HTTPError as problem:
            raise UnloadRefused("excel.unreachable") from problem
        if answer.status_code in (401, 403):
            raise UnloadRefused("excel.forbidden")
        if answer.is_error:
            raise UnloadRefused("excel.refused")
        return int(answer.json()["id"])


def operational_url(request_host: str | None, settings: Settings, path: str) -> str:
    """An address of the operational screens under the very host name that the browser uses here.

    Links never mix two names of one machine: the session cookie belongs to one of them.
    """
    found = _HOST.match(request_host or "")
    return f"http://{found.group() if found else settings.link_host}:{settings.port}{path}"
