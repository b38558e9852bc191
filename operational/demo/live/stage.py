"""What an act has at hand: the API, the devices, the journal, chance, and whom it may be about.

Subjects are chosen by reading the store as the schema's owner, as somebody who looks at every list of the clinic. Who
is chosen is held until the act ends, so that two users do not act on one person at once.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

import psycopg
from psycopg.rows import dict_row

from kmis.clock import Clock, local_date
from kmis.settings import Settings, StoreNotStarted
from operational.demo.live.devices import Devices
from operational.demo.live.journal import Entry, Journal, Match, since
from operational.demo.live.speaking import Api, Nobody, Patience

Row = dict[str, Any]
CANDIDATES: Final = 40
# A living person whose record an organisation sees; `start` spreads the choice over the register.
PERSON: Final = """
    select p.id as patient_id, p.sex, p.birth_date from patient p
    join patient_access a on a.patient_id = p.id and a.organisation_id = %(organisation)s
    where p.id >= %(start)s and p.death_date is null and p.merged_into_id is null and p.voided_at is null
"""


@dataclass(frozen=True, slots=True)
class User:
    """A user of the demonstration: the practitioner and where they work."""

    practitioner_id: int
    organisation_id: int
    department_id: int


class Store:
    """Reads of the operational store as its owner; a connection for each thread, made again when it ends."""

    def __init__(self, settings: Settings, patience: Patience) -> None:
        self.settings = settings
        self.patience = patience
        self._own = threading.local()
        self._all: list[psycopg.Connection[Row]] = []

    def rows(self, statement: str, **values: Any) -> list[Row]:
        """The rows of a query; waits while the store is down. Raises Stopped."""
        attempt = 0
        while True:
            try:
                return self._connection().execute(statement, values).fetchall()
            except (psycopg.OperationalError, StoreNotStarted):
                self._own.connection = None
                attempt += 1
                self.patience.pause(attempt)

    def close(self) -> None:
        """Close every connection."""
        for connection in self._all:
            connection.close()

    def _connection(self) -> psycopg.Connection[Row]:
        found: psycopg.Connection[Row] | None = getattr(self._own, "connection", None)
        if found is None or found.closed:
            found = psycopg.connect(
                self.settings.dsn("kmis_owner"), autocommit=True, row_factory=dict_row,
                options=f"-c timezone={self.settings.timezone}",
            )  # fmt: skip
            self._own.connection = found
            self._all.append(found)
        return found


class Held:
    """The persons and places that acts of this moment are about."""

    def __init__(self) -> None:
        self._keys: set[object] = set()
        self._lock = threading.Lock()

    def take(self, key: object) -> bool:
        """Hold a key; False where another act holds it."""
        with self._lock:
            if key in self._keys:
                return False
            self._keys.add(key)
            return True

    def release(self, keys: Sequence[object]) -> None:
        """Give keys back."""
        with self._lock:
            self._keys.difference_update(keys)


@dataclass
class Play:
    """What all acts of one play share."""

    settings: Settings
    clock: Clock
    api: Api
    devices: Devices
    store: Store
    journal: Journal
    users: dict[str, User]
    held: Held = field(default_factory=Held)


@dataclass
class Stage:
    """One act: its chance, whom it holds, and what was acknowledged of it."""

    play: Play
    rng: Random
    number: int
    entries: list[Entry] = field(default_factory=list)
    mine: list[object] = field(default_factory=list)
    begun: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.begun = self.now

    @property
    def api(self) -> Api:
        return self.play.api

    @property
    def now(self) -> datetime:
        return self.play.clock.now()

    @property
    def local(self) -> datetime:
        """Now, on the organisation's clock."""
        return self.now.astimezone(self.play.settings.zone)

    def day(self, days: int = 0) -> str:
        """Today's local date, or one so many days from it, as the API takes it."""
        return (local_date(self.now, self.play.settings.zone) + timedelta(days=days)).isoformat()

    def user(self, login: str) -> User:
        return self.play.users[login]

    def keep(self, act: str, table: str, **match: str | int | bool) -> None:
        """Write down what was acknowledged just now."""
        found: Match = match
        self.entries.append(self.play.journal.write(act, table, found))

    def audited(self, act: str, action: str, table: str, key: int) -> None:
        """Write down a change of a row that later acts may change again: the trail that this act left of it stays."""
        self.keep(act, "audit_event", action=action, object_table=table, object_id=str(key), at=since(self.begun))

    def rows(self, statement: str, **values: Any) -> list[Row]:
        return self.play.store.rows(statement, **values)

    def hold(self, key: object) -> bool:
        """Hold a key until the act ends; False where another act holds it."""
        taken = self.play.held.take(key)
        if taken:
            self.mine.append(key)
        return taken

    def one(self, statement: str, **values: Any) -> Row:
        """One of the newest rows by chance, its person held; the query orders them. Raises Nobody."""
        found = self.rows(f"{statement} limit {CANDIDATES}", **values)
        self.rng.shuffle(found)
        for row in found:
            if self.hold(row["patient_id"]):
                return row
        raise Nobody

    def person(self, organisation_id: int, condition: str = "true", **values: Any) -> Row:
        """A living person of an organisation by chance, held; ``condition`` is of the alias p. Raises Nobody."""
        last = self.rows("select max(id) as last from patient")[0]["last"] or 1
        for start in (self.rng.randint(1, last), 1):
            found = self.rows(
                f"{PERSON} and {condition} order by p.id limit {CANDIDATES}",
                organisation=organisation_id, start=start, **values,
            )  # fmt: skip
            self.rng.shuffle(found)
            for row in found:
                if self.hold(row["patient_id"]):
                    return row
        raise Nobody

    def release(self) -> None:
        """Give back whom the act held."""
        self.play.held.release(self.mine)


def users_of(store: Store, logins: Sequence[str]) -> dict[str, User]:
    """The demonstration's users with their practitioners; a login that is missing is left out."""
    found = store.rows(
        "select u.login, r.practitioner_id, r.organisation_id, r.department_id from app_user u"
        " join practitioner_role r on r.practitioner_id = u.practitioner_id and r.valid_to is null"
        " where u.login = any(%(logins)s) order by r.id",
        logins=list(logins),
    )
    return {row["login"]: User(row["practitioner_id"], row["organisation_id"], row["department_id"]) for row in found}
