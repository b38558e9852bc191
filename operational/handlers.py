"""Who hears what. The first table runs in the transaction of the event, because a critical signal may not wait for
anything; the second is owed through the outbox and runs in the worker.
"""

from __future__ import annotations

from operational.kit.events import Event, Handler, subscribe

IN_THE_TRANSACTION: dict[type[Event], tuple[Handler, ...]] = {}
THROUGH_THE_OUTBOX: dict[type[Event], tuple[Handler, ...]] = {}


def install() -> None:
    """Connect the domains; the application and the worker call it at start."""
    subscribe(IN_THE_TRANSACTION, THROUGH_THE_OUTBOX)
