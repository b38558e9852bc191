"""How simulated users speak to an installation over HTTP, and what can become of a request.

A request that was sent and not answered may have been done or not: nobody may assume either. One that could not even be
sent waits with growing pauses until the server listens again.
"""

from __future__ import annotations

import re
import threading
from typing import Any, Final

import httpx

from kmis.settings import Settings
from operational.demo.loading import LOGINS

ANSWER_S: Final = 60.0
CONNECT_S: Final = 5.0
# Shorter than the server keeps an idle connection, so that no request meets one that just ends.
KEEP_S: Final = 2.0
CONNECTIONS: Final = 32
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
KEYS: Final = re.compile(r"/\d+")


class Stopped(Exception):
    """The play ends while something waits."""


class Nobody(Exception):
    """There is nobody whom an act could be about now."""


class NoAnswer(Exception):
    """It was sent; whether it was done is unknown."""


class Refused(Exception):
    """The installation said no, or that it failed; ``what`` names the request without keys, and the answer."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Patience:
    """Growing pauses between attempts, until the play stops; ``retries`` counts them."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.retries = 0
        self._lock = threading.Lock()

    def pause(self, attempt: int) -> None:
        """Wait before attempt number ``attempt`` (from 1). Raises Stopped."""
        with self._lock:
            self.retries += 1
        if self.stop.wait(min(FIRST_PAUSE_S * 2 ** (attempt - 1), LONGEST_PAUSE_S)):
            raise Stopped


class Api:
    """The JSON API, as each of the demonstration's users; sessions are opened at need and again after they end."""

    def __init__(self, settings: Settings, patience: Patience) -> None:
        self.patience = patience
        self._passwords = {user.login: user.password for user in LOGINS}
        self._tokens: dict[str, str] = {}
        self._lock = threading.Lock()
        self._client = httpx.Client(
            base_url=f"http://{settings.host}:{settings.port}",
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=KEEP_S),
            headers={"Accept-Language": "ru"},
            trust_env=False,
        )

    def get(self, login: str, path: str, **query: Any) -> Any:
        """What stands at a path. Raises as ``post`` does."""
        return self._ask(login, "GET", path, params=query)

    def post(self, login: str, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
        """The JSON of a 2xx answer, None without one. Raises Refused, NoAnswer, Stopped."""
        return self._ask(login, method, path, json=body or {})

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, login: str, method: str, path: str, **content: Any) -> Any:
        token = self._token(login)
        answer = self._send(method, path, token, **content)
        if answer.status_code == 401:  # the session ended: nothing was done
            with self._lock:
                if self._tokens.get(login) == token:
                    del self._tokens[login]
            answer = self._send(method, path, self._token(login), **content)
        if answer.is_success:
            return answer.json() if answer.content else None
        raise Refused(f"{answer.status_code} {method} {KEYS.sub('/…', path)}{_reason(answer)}")

    def _send(self, method: str, path: str, token: str | None, **content: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        attempt = 0
        while True:
            try:
                return self._client.request(method, path, headers=headers, **content)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
                attempt += 1
                self.patience.pause(attempt)
            except httpx.TransportError as error:
                raise NoAnswer(type(error).__name__) from error

    def _token(self, login: str) -> str:
        with self._lock:
            attempt = 0
            while login not in self._tokens:
                try:
                    answer = self._send(
                        "POST", "/api/sign-in", None, json={"login": login, "password": self._passwords[login]}
                    )
                except NoAnswer:
                    answer = None
                if answer is not None and answer.is_success:
                    self._tokens[login] = str(answer.json()["token"])
                elif answer is not None and answer.is_client_error and answer.status_code != 429:
                    raise Refused(f"{answer.status_code} POST /api/sign-in as {login}")
                else:
                    attempt += 1
                    self.patience.pause(attempt)
            return self._tokens[login]


def _reason(answer: httpx.Response) -> str:
    """What the answer says: the API's messages name fields and rules, never a person."""
    try:
        said = answer.json()
    except ValueError:
        return ""
    fields = said.get("errors") or {said.get("field", ""): said.get("detail", "")}
    return ": " + "; ".join(f"{name} {message}".strip() for name, message in fields.items())
