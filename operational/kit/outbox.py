"""One outbox: a message is written in the transaction that causes it and delivered by the worker.

Attempts are rows of their own and commit apart from the message. Messages of one ``order_key`` go out one after
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
BATCH = 50
_partners: dict[str, Deliver] = {}

DUE = text(
    "select m.id from outbox_message as m where m.status = 'waiting' and m.next_attempt_at <= now()"
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
        keys = [int(row[0]) for row in session.execute(DUE, {"batch": BATCH})]
    return sum(_attempt(settings, key) for key in keys)


def _attempt(settings: Settings, key: int) -> bool:
    with transaction(settings, Scope.nobody()) as session:
        message = session.get(OutboxMessage, key, with_for_update={"skip_locked": True})
        if message is None or message.status != "waiting" or message.partner not in _partners:
            return False
        attempt = OutboxAttempt(message_id=key)
        session.add(attempt)
        session.flush()
        try:
            _partners[message.partner](settings, message.payload)
        except Exception as error:
            attempt.outcome, attempt.error = "failed", type(error).__name__
        else:
            attempt.outcome = "delivered"
            message.status = "delivered"
        message.attempts += 1
        now: datetime = session.execute(text("select clock_timestamp()")).scalar_one()
        attempt.finished_at = now
        if message.status == "delivered":
            message.delivered_at = now
        elif message.attempts >= MAX_ATTEMPTS:
            message.status = "failed"
        else:
            message.next_attempt_at = now + min(FIRST_PAUSE * 2 ** (message.attempts - 1), LONGEST_PAUSE)
    return True
