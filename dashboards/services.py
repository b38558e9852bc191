"""What one dashboards process shares between its users: settings, sessions, query service, unload client.

Pages get their user from here. The token comes from the cookie of the page's own socket, which the guard has
let in, and is asked again on every run of a page, so a page cannot outlive its session.
"""

from __future__ import annotations

import threading
from datetime import date
from typing import TYPE_CHECKING

import streamlit as st

from dashboards.sessions import COOKIE, SessionChecker, SessionIdentity, Sessions
from dashboards.unloads import UnloadClient
from kmis import session
from kmis.query import QueryService, Scope
from kmis.settings import Settings, get_settings

if TYPE_CHECKING:
    from dashboards.unloads import UnloadOrders

IDENTIFIERS_PERMISSION = "analytics.identifiers"
ROWS_PERMISSION = "analytics.rows"
UNLOADS_PERMISSION = "exports.make"


class NotSignedIn(Exception):
    """The page runs without a valid session."""


_lock = threading.Lock()
_sessions: Sessions | None = None
_query: QueryService | None = None
_unloads: UnloadOrders | None = None


def session_checker(settings: Settings) -> SessionChecker:
    """The checker that asks the operational store; who must first change the password is not let in."""

    def check(token: str) -> SessionIdentity | None:
        found = session.check(settings, token)
        return None if found is None or found.must_change_password else found

    return check


def use_sessions(sessions: Sessions) -> None:
    """Sets whom pages ask about tokens; called once by the server."""
    global _sessions
    _sessions = sessions


def use_query(query: QueryService) -> None:
    """Sets the query service, instead of the one that is opened at the first question."""
    global _query
    _query = query


def use_unloads(unloads: UnloadOrders) -> None:
    """Sets who takes the orders of unloads, instead of the operational API."""
    global _unloads
    _unloads = unloads


def query() -> QueryService:
    """The process's query service; pages never open a connection of their own."""
    global _query
    with _lock:
        if _query is None:
            _query = QueryService(get_settings())
        return _query


def unloads() -> UnloadOrders:
    """Who takes the orders of unloads."""
    global _unloads
    with _lock:
        if _unloads is None:
            _unloads = UnloadClient(get_settings())
        return _unloads


def close() -> None:
    """Closes what was opened."""
    with _lock:
        if _query is not None:
            _query.close()


def token() -> str:
    """The session token of the running page; empty when there is none."""
    return st.context.cookies.to_dict().get(COOKIE, "")


def identity() -> SessionIdentity:
    """The user of the running page. Raises NotSignedIn."""
    found = _sessions.look_up(token()) if _sessions is not None else None
    if found is None:
        raise NotSignedIn
    return found


def scope_of(user: SessionIdentity) -> Scope:
    """Whose rows the user may see; identifiers of patients only with the right to open patients."""
    return Scope(user.user_id, frozenset(user.organisation_ids), IDENTIFIERS_PERMISSION in user.permissions)


def settings() -> Settings:
    """The settings of the installation."""
    return get_settings()


def today() -> date:
    """The current day in the installation's zone."""
    return query().today()
