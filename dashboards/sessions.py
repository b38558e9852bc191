"""Operational sessions as seen by the dashboards: a checker with a cache of at most three seconds.

The token of the cookie `kmis_session` is the only thing that names a user. It is asked of the operational
store (`kmis.session.check`) and never taken from a header, so that no client can claim an identity.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from http.cookies import CookieError, SimpleCookie
from typing import Protocol

import anyio
import anyio.to_thread

COOKIE = "kmis_session"
BROWSER_COOKIE = "kmis_browser"
LONGEST_CACHE_SECONDS = 3.0
_LONGEST_TOKEN = 512
_CAPACITY = 4096
_STRIPES = 16


class SessionIdentity(Protocol):
    """What the guard and the pages need to know of a signed-in user."""

    @property
    def user_id(self) -> int: ...

    @property
    def login(self) -> str: ...

    @property
    def display_name(self) -> str: ...

    @property
    def language(self) -> str: ...

    @property
    def permissions(self) -> Collection[str]: ...

    @property
    def organisation_ids(self) -> Collection[int]: ...


SessionChecker = Callable[[str], SessionIdentity | None]


def fingerprint(token: str) -> str:
    """A name of the session that can be shown to its own browser; the token cannot be had from it."""
    return hashlib.sha256(b"kmis-dashboards:" + token.encode()).hexdigest()[:24]


def read_cookies(headers: Collection[tuple[bytes, bytes]]) -> dict[str, str]:
    """Cookies of an ASGI header list; a cookie sent twice with different values is left out.

    Two values under one name would let the guard judge one token and the page use another.
    """
    seen: dict[str, str] = {}
    ambiguous: set[str] = set()
    for name, value in headers:
        if name.lower() != b"cookie":
            continue
        for part in value.decode("latin-1").split(";"):
            try:
                parsed = SimpleCookie(part.strip())
            except CookieError:
                continue
            for key, morsel in parsed.items():
                if seen.setdefault(key, morsel.value) != morsel.value:
                    ambiguous.add(key)
    return {key: value for key, value in seen.items() if key not in ambiguous}


class Sessions:
    """Checks tokens, at most once per `lifetime` seconds each; safe for threads and for the event loop.

    An error of the checker is raised to the caller, who refuses: nobody is let in on a guess.
    """

    def __init__(
        self,
        check: SessionChecker,
        *,
        lifetime: float = 2.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 <= lifetime <= LONGEST_CACHE_SECONDS:
            raise ValueError(f"a session may be cached for 0 to {LONGEST_CACHE_SECONDS} s, not {lifetime}")
        self._check = check
        self._lifetime = lifetime
        self._monotonic = monotonic
        self._known: OrderedDict[str, tuple[float, SessionIdentity]] = OrderedDict()
        self._lock = threading.Lock()
        self._asking = [threading.Lock() for _ in range(_STRIPES)]
        self._limiter: anyio.CapacityLimiter | None = None

    def look_up(self, token: str) -> SessionIdentity | None:
        """The user of a token, or None when it is unknown, expired or revoked. Blocks on the store."""
        if not token or len(token) > _LONGEST_TOKEN:
            return None
        key = fingerprint(token)
        cached = self._cached(key)
        if cached is not None:
            return cached
        # A page asks for some sixty files at once: one of those requests asks the store, the rest wait.
        with self._asking[int(key[:4], 16) % _STRIPES]:
            cached = self._cached(key)
            if cached is not None:
                return cached
            asked_at = self._monotonic()
            found = self._check(token)
            with self._lock:
                if found is None:
                    self._known.pop(key, None)
                else:
                    self._known[key] = (asked_at, found)
                    self._known.move_to_end(key)
                    while len(self._known) > _CAPACITY:
                        self._known.popitem(last=False)
            return found

    async def check(self, token: str) -> SessionIdentity | None:
        """`look_up` without blocking the event loop."""
        if not token or len(token) > _LONGEST_TOKEN:
            return None
        cached = self._cached(fingerprint(token))
        if cached is not None:
            return cached
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(8)
        return await anyio.to_thread.run_sync(self.look_up, token, limiter=self._limiter)

    def _cached(self, key: str) -> SessionIdentity | None:
        with self._lock:
            entry = self._known.get(key)
            if entry is None or self._monotonic() - entry[0] >= self._lifetime:
                return None
            return entry[1]
