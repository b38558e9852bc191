"""The signed-in session of a browser, checked by every part that serves pages.

The token stays with the browser; the store keeps its SHA-256. The SQL function `kmis_session_info` answers
for a session that is neither revoked nor expired and whose user is active, with the scope as it stands now.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from kmis.settings import Settings

COOKIE = "kmis_session"


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A live session: who, what they may do, in which organisations."""

    session_id: int
    user_id: int
    login: str
    display_name: str
    language: str
    permissions: frozenset[str]
    organisation_ids: frozenset[int]
    practitioner_id: int | None = None
    home_organisation_id: int | None = None
    must_change_password: bool = False


def token_hash(token: str) -> bytes:
    """What the store keeps instead of the token."""
    return hashlib.sha256(token.encode()).digest()


@lru_cache(maxsize=4)
def _pool(dsn: str) -> ConnectionPool[Any]:
    # Asked before each use: after the server was started again no request meets a connection that has ended.
    return ConnectionPool(
        dsn, min_size=0, max_size=8, open=True, check=ConnectionPool.check_connection,
        kwargs={"row_factory": dict_row, "autocommit": True},
    )  # fmt: skip


def check(settings: Settings, token: str | None) -> SessionInfo | None:
    """The live session of the token, or None.

    Asks the store each time, so that a revocation holds at once.
    """
    if not token or len(token) > 200:
        return None
    with _pool(settings.dsn("kmis_app")).connection() as connection:
        row = connection.execute("select * from kmis_session_info(%s)", (token_hash(token),)).fetchone()
    if row is None:
        return None
    values = {field.name: row[field.name] for field in fields(SessionInfo)}
    values["permissions"] = frozenset(values["permissions"] or ())
    values["organisation_ids"] = frozenset(values["organisation_ids"] or ())
    return SessionInfo(**values)


def touch(settings: Settings, session_id: int) -> None:
    """Note that the session is in use; written once a minute at most."""
    with _pool(settings.dsn("kmis_app")).connection() as connection:
        connection.execute(
            "update user_session set last_seen_at = now() where id = %s and last_seen_at < now() - interval '1 minute'",
            (session_id,),
        )


def close_pools() -> None:
    """Close the connections; used when a server goes away."""
    _pool.cache_clear()
