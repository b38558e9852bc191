"""Events: a domain announces what happened; who hears it is decided where the application is composed.

A handler of the first kind runs in the transaction of the event, inside a savepoint: when it fails, the event's own
work stays, and the handler is owed through the outbox like one of the second kind, so no rule of a program can refuse
what a doctor saves.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kmis.clock import Clock, SystemClock
from kmis.settings import Settings
from operational.kit.access import Scope
from operational.kit.db import transaction
from operational.kit.outbox import post, register_partner

log = logging.getLogger("kmis.events")
PARTNER = "handlers"


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: to whom, in which organisation, and the key of the row that says more."""

    subject_id: int
    patient_id: int
    organisation_id: int


Handler = Callable[[Session, Any, Clock, ZoneInfo], None]
_at_once: dict[type[Event], tuple[Handler, ...]] = {}
_later: dict[type[Event], tuple[Handler, ...]] = {}


def subscribe(at_once: dict[type[Event], tuple[Handler, ...]], later: dict[type[Event], tuple[Handler, ...]]) -> None:
    """Say who hears which event; called once, by the composition. It replaces what was said before."""
    _at_once.clear()
    _later.clear()
    _at_once.update(at_once)
    _later.update(later)
    register_partner(PARTNER, _deliver)


def announce(session: Session, event: Event, clock: Clock, zone: ZoneInfo) -> None:
    """Tell what happened, in the transaction that made it happen."""
    for handler in _at_once.get(type(event), ()):
        session.flush()
        try:
            with session.begin_nested():
                handler(session, event, clock, zone)
        except Exception as error:  # a rule may not refuse what is being saved
            log.error("%s of %s failed: %s", _name(handler), type(event).__name__, type(error).__name__)
            _owe(session, event, handler)
    for handler in _later.get(type(event), ()):
        _owe(session, event, handler)


def _owe(session: Session, event: Event, handler: Handler) -> None:
    post(
        session, PARTNER, f"{type(event).__name__}.{_name(handler)}",
        {
            "event": type(event).__name__, "handler": _name(handler), "subject_id": event.subject_id,
            "patient_id": event.patient_id, "organisation_id": event.organisation_id,
        },
        order_key=f"{_name(handler)}:{event.patient_id}", owner_organisation_id=event.organisation_id,
    )  # fmt: skip


def _deliver(settings: Settings, payload: dict[str, Any]) -> None:
    """Run an owed handler in a transaction of its own, with the event's organisation as its scope."""
    event_type, handler = _found(payload["event"], payload["handler"])
    event = event_type(payload["subject_id"], payload["patient_id"], payload["organisation_id"])
    scope = Scope(user_id=None, organisation_ids=frozenset({event.organisation_id}), reason="owed handler")
    with transaction(settings, scope) as session:
        handler(session, event, SystemClock(), ZoneInfo(settings.timezone))


def _found(event_name: str, handler_name: str) -> tuple[type[Event], Handler]:
    for event_type, handler in _pairs():
        if event_type.__name__ == event_name and _name(handler) == handler_name:
            return event_type, handler
    raise LookupError("no such handler")


def _pairs() -> Iterable[tuple[type[Event], Handler]]:
    for table in (_at_once, _later):
        for event_type, handlers in table.items():
            for handler in handlers:
                yield event_type, handler


def _name(handler: Handler) -> str:
    return f"{handler.__module__}.{handler.__qualname__}"
