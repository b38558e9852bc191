"""The one way from the listeners into the operational store: each call is one committed transaction.

What raises StoreUnavailable may be asked again later; nothing of it was recorded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.orm import Session

from device_ingest.grouping import Grouping
from kmis.clock import Clock, SystemClock, local_date
from kmis.settings import Settings, StoreNotStarted
from operational.domains.orders import (
    receiving,
    receiving_quick,
    receiving_repository,
    receiving_studies,
    receiving_worklist,
)
from operational.domains.orders.receiving_schemas import (
    DeliveredInstance,
    KnownDevice,
    LabMessage,
    LabReport,
    LabValue,
    Outcome,
    Protocol,
    Received,
    StatedPerson,
    Verdict,
    WorklistItem,
    WorklistQuery,
)
from operational.handlers import install
from operational.kit.access import Scope
from operational.kit.db import Standing, engine, transaction
from operational.models import whole

# How long a device that was found is not looked up again, in seconds.
REMEMBERED_S = 2.0


class StoreUnavailable(RuntimeError):
    """The store could not commit: it is down, or refused for a reason that is not the message's."""


class StoreRefused(RuntimeError):
    """The store refuses this content; asking again would not help."""


class NoOrganisation(StoreUnavailable):
    """The store knows no organisation at all, so it can keep nothing for anybody."""


class Gateway:
    """The store as the listeners see it."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self._pools: dict[bool, Engine] = {}
        self._standing: Standing | None = None
        self._new_reports = Grouping(self._record_new)
        self._devices: dict[tuple[Protocol, str], tuple[float, KnownDevice]] = {}
        whole()
        install()

    def device(self, protocol: Protocol, address: str) -> KnownDevice | None:
        """The registered, active device that names itself so; a change of it counts REMEMBERED_S later at most."""
        at, device = self._devices.get((protocol, address), (0.0, None))
        if device is not None and time.monotonic() - at < REMEMBERED_S:
            return device
        with self._transaction(Scope.nobody()) as session:
            device = receiving_repository.device(session, protocol, address)
        if device is None:
            self._devices.pop((protocol, address), None)
        else:
            self._devices[protocol, address] = (time.monotonic(), device)
        return device

    def unknown_senders_organisation(self) -> int:
        """The organisation that keeps what nobody registered sent: the region."""
        with self._transaction(Scope.nobody()) as session:
            found = receiving_repository.root_organisation(session, self._today())
        if found is None:
            raise NoOrganisation
        return found

    def record_report(self, received: Received, message: LabMessage) -> Outcome:
        """Record a laboratory message of a known device."""
        if received.device is not None:
            outcome = self._new_reports.do(received.device, (received, message))
            if outcome is not None:
                return outcome
        with self._transaction(_scope(received.organisation_id, received.device)) as session:
            return receiving.record_report(session, self.clock, received, message)

    def _record_new(self, device: KnownDevice, batch: list[receiving_quick.New]) -> list[Outcome | None]:
        try:
            with self._answering(at_once=True) as pool:
                scope = _scope(device.organisation_id, device)
                return receiving_quick.record_new(pool, scope, self.clock, device, batch)
        except (StoreRefused, StoreUnavailable):
            return [None] * len(batch)  # each is tried alone: one that is refused must not fail its neighbours

    def quarantine(self, received: Received, problem: str) -> int:
        """Record that something was kept in quarantine, and why."""
        with self._transaction(_scope(received.organisation_id, received.device)) as session:
            return receiving.record_refused(session, received, problem)

    def record_instances(self, device: KnownDevice, batch: Sequence[DeliveredInstance]) -> list[Verdict]:
        """Index objects whose files are durable; one answer per object."""
        scope = _scope(device.organisation_id, device)
        done = self._add_at_once(scope, device, batch)
        others = [item for item in batch if item.sop_uid not in done]
        if not others:
            return ["stored"] * len(batch)
        with self._transaction(scope) as session:
            verdicts = iter(receiving_studies.record_instances(session, self.clock, device, others))
        return ["stored" if item.sop_uid in done else next(verdicts) for item in batch]

    def _add_at_once(self, scope: Scope, device: KnownDevice, batch: Sequence[DeliveredInstance]) -> set[str]:
        """What is done at once; nothing where the connection has ended: the pool's own are asked before they work."""
        try:
            self._standing = self._standing or Standing(self.settings)
            return receiving_studies.add_at_once(self._standing, scope, device, batch)
        except (psycopg.Error, StoreNotStarted):
            self._standing = None
            return set()

    def close(self) -> None:
        """Give up the connection that is no pool's."""
        if self._standing is not None:
            self._standing.close()
            self._standing = None

    def settle(self, device: KnownDevice, study_uids: Sequence[str]) -> None:
        """Nothing more comes for these studies now."""
        for uid in study_uids:
            with self._transaction(_scope(device.organisation_id, device)) as session:
                receiving_studies.settle_study(session, self.clock, uid)

    def settle_quiet(self, quiet: timedelta) -> int:
        """Complete the studies whose listener ended before it could; returns how many."""
        with self._transaction(Scope.nobody()) as session:
            organisations = receiving_repository.device_organisations(session, "dicom")
        settled = 0
        for organisation in organisations:
            with self._transaction(_scope(organisation, None)) as session:
                uids = receiving_studies.quiet_studies(session, self.clock, quiet)
            for uid in uids:
                with self._transaction(_scope(organisation, None)) as session:
                    receiving_studies.settle_study(session, self.clock, uid)
            settled += len(uids)
        return settled

    def worklist(self, device: KnownDevice, query: WorklistQuery, limit: int) -> Sequence[WorklistItem]:
        """The open imaging orders of the device's organisation that match, the soonest first."""
        with self._transaction(_scope(device.organisation_id, device)) as session:
            return receiving_worklist.worklist(session, device, query, self.settings.zone, limit)

    def _today(self) -> date:
        return local_date(self.clock.now(), self.settings.zone)

    @contextmanager
    def _transaction(self, scope: Scope) -> Iterator[Session]:
        with self._answering() as pool, transaction(self.settings, scope, bind=pool) as session:
            yield session

    @contextmanager
    def _answering(self, *, at_once: bool = False) -> Iterator[Engine]:
        """The pool; what the driver raises becomes one of the two errors of this module.

        ``at_once``: the pool that saves a question to the store; it may hand out a connection that has ended.
        """
        try:
            pool = self._pools.get(at_once) or engine(self.settings, asks_first=not at_once)
            self._pools[at_once] = pool
            yield pool
        except (DataError, IntegrityError, NotSupportedError, ProgrammingError) as error:
            raise StoreRefused(type(error).__name__) from error
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise StoreRefused(type(error).__name__) from error
        except (DBAPIError, psycopg.Error, StoreNotStarted) as error:
            self._pools = {}  # a server that was started anew may listen elsewhere
            raise StoreUnavailable(type(error).__name__) from error


def _scope(organisation_id: int, device: KnownDevice | None) -> Scope:
    return Scope(
        user_id=None,
        organisation_ids=frozenset({organisation_id}),
        home_organisation_id=organisation_id,
        reason=f"device {device.code}" if device else "device",
    )


__all__ = [
    "DeliveredInstance", "Gateway", "KnownDevice", "LabMessage", "LabReport", "LabValue", "NoOrganisation", "Outcome",
    "Received", "StatedPerson", "StoreRefused", "StoreUnavailable", "Verdict", "WorklistItem", "WorklistQuery",
]  # fmt: skip
