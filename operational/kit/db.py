"""The database session: one transaction per request, opened with the acting user's scope, committed here only."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, cast

import psycopg
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session, sessionmaker

from kmis.settings import Role, Settings
from operational.kit.access import Scope, install_wall


class KmisSession(Session):
    """A session that refuses to work without a scope."""


install_wall(KmisSession)

# Parameters of a statement are people's data: no error text shows them.
POOL = {"pool_size": 20, "max_overflow": 20, "hide_parameters": True}
SET_SCOPE = text(
    "select set_config('kmis.user_id', :user_id, true), set_config('kmis.scope', :scope, true),"
    " set_config('kmis.reason', :reason, true)"
)
DRIVER_SCOPE = re.sub(r":(\w+)", r"%(\1)s", SET_SCOPE.text)
SESSION_SCOPE = DRIVER_SCOPE.replace("true", "false")


@lru_cache(maxsize=8)
def _engine(address: str, asks_first: bool) -> Engine:
    return create_engine(address, **POOL, pool_pre_ping=asks_first)


def engine(settings: Settings, role: Role = "kmis_app", *, asks_first: bool = True) -> Engine:
    """The connection pool of a role; one per address and process.

    ``asks_first=False``: a connection is handed out without asking the server whether it still holds. Whoever takes
    that pool tries again with the other one.
    """
    address = settings.url(role).set(drivername="postgresql+psycopg")
    return _engine(address.render_as_string(hide_password=False), asks_first)


@lru_cache(maxsize=8)
def _maker(bind: Engine) -> sessionmaker[KmisSession]:
    return sessionmaker(bind, class_=KmisSession, expire_on_commit=False)


def apply_scope(session: Session, scope: Scope) -> None:
    """Tell the database, for this transaction, who acts and in which organisations."""
    session.info["scope"] = scope
    session.execute(SET_SCOPE, _settings_of(scope))


def _settings_of(scope: Scope) -> dict[str, str]:
    return {
        "user_id": "" if scope.user_id is None else str(scope.user_id),
        "scope": ",".join(str(key) for key in sorted(scope.organisation_ids)),
        "reason": scope.reason or "",
    }


def give_reason(session: Session, reason: str) -> None:
    """Write ``reason`` beside every change that the rest of this transaction makes."""
    session.execute(text("select set_config('kmis.reason', :reason, true)"), {"reason": reason})


@contextmanager
def transaction(
    settings: Settings, scope: Scope, *, role: Role = "kmis_app", bind: Engine | None = None
) -> Iterator[Session]:
    """One transaction for one task: committed at the end, rolled back on any error.

    Callers are told that something is saved only after this block has ended. ``bind`` is the role's pool, where the
    caller opens so many transactions that looking it up each time would count.
    """
    session = _maker(bind or engine(settings, role))()
    try:
        apply_scope(session, scope)
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.close()


@contextmanager
def in_one_go(bind: Engine, scope: Scope) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A transaction of the driver's own statements: nothing waits for the store before its rows are asked for.

    For the few paths where a device waits for every row: the same scope as in ``transaction``. Committed at the end;
    an error rolls back.
    """
    with contextlib.closing(bind.raw_connection()) as pooled:
        connection = cast("psycopg.Connection[tuple[Any, ...]]", pooled.driver_connection)
        with connection.pipeline():
            connection.execute(DRIVER_SCOPE, _settings_of(scope))
            yield connection
            connection.commit()


class Standing:
    """A connection outside of every pool, for one task that a device waits for: each statement is a transaction.

    The scope stays until another one is set, which saves the round trips of a transaction; nobody else gets the
    connection. After an error it is closed.
    """

    def __init__(self, settings: Settings, role: Role = "kmis_app") -> None:
        self._connection = psycopg.connect(settings.dsn(role), autocommit=True)
        self._scope: dict[str, str] | None = None

    def run(self, scope: Scope, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of one statement, committed; ``statement`` has ``%(name)s`` for its values."""
        try:
            wanted = _settings_of(scope)
            if wanted != self._scope:
                self._connection.execute(SESSION_SCOPE, wanted)
                self._scope = wanted
            return self._connection.execute(statement, values).fetchall()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()


def dispose_engines() -> None:
    """Close every pool; used when a server goes away."""
    _engine.cache_clear()
    _maker.cache_clear()


__all__ = [
    "KmisSession",
    "Standing",
    "apply_scope",
    "dispose_engines",
    "engine",
    "give_reason",
    "in_one_go",
    "transaction",
]
