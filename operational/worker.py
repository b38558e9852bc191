"""The worker: makes the files that were ordered and delivers what the outbox owes."""

from __future__ import annotations

import logging
import signal
import threading

import psycopg
from sqlalchemy.exc import DBAPIError

from kmis.query import QueryService
from kmis.settings import get_settings
from operational import handlers
from operational.domains.monitoring.service import make_waiting, take_up_again
from operational.kit.outbox import deliver_due
from operational.models import whole

log = logging.getLogger("kmis.worker")
IDLE_S = 0.5


def main() -> None:
    """Work until told to stop; an unexpected failure is logged by its kind and tried again."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    whole()
    handlers.install()
    settings = get_settings()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda signum, frame: stop.set())
    signal.signal(signal.SIGINT, lambda signum, frame: stop.set())
    query = QueryService(settings)
    taken_up = False
    while not stop.is_set():
        try:
            if not taken_up:
                take_up_again(settings)
                taken_up = True
            busy = make_waiting(settings, query) + deliver_due(settings)
        except (DBAPIError, psycopg.Error, OSError) as error:
            log.warning("the store does not answer: %s", type(error).__name__)
            busy = 0
        if not busy:
            stop.wait(IDLE_S)
    query.close()


if __name__ == "__main__":
    main()
