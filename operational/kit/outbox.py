"""One outbox: a message is written in the transaction that causes it and delivered by the worker.

An attempt is a row of its own, committed before the partner is asked and apart from the outcome: a worker that dies
in between leaves its trace, and the message is due again after a lease. Messages of one ``order_key`` go out one after
the other; a failed attempt is tried again later and later, and every state can be seen.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from kmis.settings import Settings
from operational.kit.access import Scope
from operational.kit.db import transaction
from operational.kit.models import OutboxAttempt, OutboxMessage

Deliver = Callable[[Settings, dict[str, Any]], None]
MAX_ATTEMPTS = 12
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
# After this time the message of a worker that died is taken up again; a partner answers within it.
LEASE = timedelta(minutes=5)
BATCH = 50
_partners: dict[str, Deliver] = {}

DUE = text(
    "select m.id from outbox_message as m where m.status = 'waiting' and m.next_attempt_at <= now()"
    " and m.partner = any(:partners)"
    " and not exists (select from outbox_message as before where before.status = 'waiting'"
    " and before.partner = m.partner and before.order_key = m.order_key and before.id < m.id)"
    " order by m.id limit :batch"
)


def register_partner(partner: str, deliver: Deliver) -> None:
    """Say who delivers the messages of a partner; ``deliver`` raises when the partner did not take one."""
    _partners[partner] = deliver


def post(
    session: Session, partner: str, topic: str, payload: dict[str, Any], *, order_key: str | None = None,
    owner_organisation_id: int | None = None,
) -> OutboxMessage:  # fmt: skip
    """Owe a message, in the caller's transaction. The payload holds keys, never a person's identifiers."""
    row = OutboxMessage(
        partner=partner, topic=topic, payload=payload, order_key=order_key, owner_organisation_id=owner_organisation_id
    )
    session.add(row)
    session.flush()
    return row


def deliver_due(settings: Settings) -> int:
    """Try every message that is due and whose partner is known; returns how many were tried."""
    with transaction(settings, Scope.nobody()) as session:
        found = session.execute(DUE, {"batch": BATCH, "partners": sorted(_partners)})
        keys = [int(row[0]) for row in found]
    return sum(_attempt(settings, key) for key in keys)


def _attempt(settings: Settings, key: int) -> bool:
    with transaction(settings, Scope.nobody()) as session:
        message = session.get(OutboxMessage, key, with_for_update={"skip_locked": True})
        now = _now(session)
        if message is None or message.status != "waiting" or message.next_attempt_at > now:
            return False
        attempt = OutboxAttempt(message_id=key, started_at=now)
        session.add(attempt)
        message.attempts += 1
        message.next_attempt_at = now + LEASE
        partner, payload, number = message.partner, message.payload, message.attempts
        session.flush()
        attempt_id = attempt.id
    failure: str | None = None
    try:
        _partners[partner](settings, payload)
    except Exception as error:  # whatever a partner does wrong is noted and tried again
        failure = type(error).__name__
    with transaction(settings, Scope.nobody()) as session:
        _note(session, key, attempt_id, number, failure)
    return True


def _note(session: Session, key: int, attempt_id: int, number: int, failure: str | None) -> None:
    """Write what came of an attempt, and what follows for its message."""
    now = _now(session)
    attempt = session.get_one(OutboxAttempt, attempt_id)
    attempt.finished_at = now
    attempt.outcome, attempt.error = ("failed", failure) if failure else ("delivered", None)
    message = session.get_one(OutboxMessage, key, with_for_update=True)
    if message.status != "waiting":
        return
    if failure is None:
        message.status, message.delivered_at = "delivered", now
    elif number >= MAX_ATTEMPTS:
        message.status = "failed"
    else:
        message.next_attempt_at = now + min(FIRST_PAUSE * 2 ** (number - 1), LONGEST_PAUSE)


def _now(session: Session) -> datetime:
    """The server's clock: workers on several machines agree on it."""
    moment: datetime = session.execute(text("select clock_timestamp()")).scalar_one()
    return moment
