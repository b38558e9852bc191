"""The outbox: order per key, later and later attempts, attempts that stay, and an end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from kmis.settings import Settings
from operational.kit import outbox
from operational.kit.access import Scope
from operational.kit.db import transaction


class Partner:
    """Takes messages, or refuses as long as it is told to."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = f"partner-{uuid4().hex[:8]}"
        self.taken: list[int] = []
        self.refusing: set[int] = set()
        self.during: Callable[[], None] = lambda: None

    def deliver(self, settings: Settings, payload: dict[str, Any]) -> None:
        self.during()
        if payload["n"] in self.refusing:
            raise ConnectionError("a text that is not kept")
        self.taken.append(payload["n"])

    def owes(self, *numbers: int, order_key: str | None = "one") -> None:
        with transaction(self.settings, Scope.nobody()) as session:
            for number in numbers:
                outbox.post(session, self.name, "visit", {"n": number}, order_key=order_key)

    def rows(self, columns: str) -> list[tuple[Any, ...]]:
        return self.ask(f"select {columns} from outbox_message where partner = %s order by id")

    def attempts(self) -> list[tuple[Any, ...]]:
        return self.ask(
            "select a.outcome, a.error, a.finished_at is not null from outbox_attempt as a"
            " join outbox_message as m on m.id = a.message_id where m.partner = %s order by a.id"
        )

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.settings.dsn("kmis_owner")) as connection:
            return connection.execute(statement, (self.name,)).fetchall()

    def make_due(self) -> None:
        with psycopg.connect(self.settings.dsn("kmis_owner")) as connection:
            connection.execute("update outbox_message set next_attempt_at = now() where partner = %s", (self.name,))


@pytest.fixture
def partner(settings: Settings, world: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Partner]:
    monkeypatch.setattr(outbox, "_partners", {})
    partner = Partner(settings)
    outbox.register_partner(partner.name, partner.deliver)
    yield partner
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        connection.execute(
            "delete from outbox_attempt where message_id in (select id from outbox_message where partner = %s)",
            (partner.name,),
        )
        connection.execute("delete from outbox_message where partner = %s", (partner.name,))


def test_messages_of_one_key_go_one_after_the_other(partner: Partner, settings: Settings) -> None:
    partner.owes(1, 2, 3)
    partner.refusing = {1}
    assert outbox.deliver_due(settings) == 1
    assert partner.taken == []
    partner.make_due()
    partner.refusing = set()
    while outbox.deliver_due(settings):
        pass
    assert partner.taken == [1, 2, 3]


def test_another_key_does_not_wait(partner: Partner, settings: Settings) -> None:
    partner.owes(1, 2)
    partner.owes(3, order_key="two")
    partner.owes(4, 5, order_key=None)
    partner.refusing = {1}
    outbox.deliver_due(settings)
    assert partner.taken == [3, 4, 5]


def test_failed_attempt_is_tried_later_and_later(partner: Partner, settings: Settings) -> None:
    partner.owes(1)
    partner.refusing = {1}
    pauses = []
    for _ in range(3):
        assert outbox.deliver_due(settings) == 1
        assert outbox.deliver_due(settings) == 0
        pauses.append(round(partner.rows("extract(epoch from next_attempt_at - now())")[0][0]))
        partner.make_due()
    assert [abs(pause - wanted) <= 2 for pause, wanted in zip(pauses, (5, 10, 20), strict=True)] == [True] * 3, pauses
    assert partner.attempts() == [("failed", "ConnectionError", True)] * 3


def test_message_fails_after_the_last_attempt_and_lets_the_next_go(partner: Partner, settings: Settings) -> None:
    partner.owes(1, 2)
    partner.refusing = {1}
    for _ in range(outbox.MAX_ATTEMPTS):
        assert outbox.deliver_due(settings) == 1
        partner.make_due()
    assert partner.rows("status, attempts")[0] == ("failed", outbox.MAX_ATTEMPTS)
    outbox.deliver_due(settings)
    assert partner.taken == [2]
    assert partner.rows("status, delivered_at is not null") == [("failed", False), ("delivered", True)]


def test_attempt_is_committed_before_the_partner_is_asked(partner: Partner, settings: Settings) -> None:
    seen: list[Any] = []
    partner.during = lambda: seen.extend(partner.attempts())
    partner.owes(1)
    outbox.deliver_due(settings)
    assert seen == [(None, None, False)]
    assert partner.attempts() == [("delivered", None, True)]


def test_worker_that_dies_leaves_its_attempt_and_the_message_comes_again(partner: Partner, settings: Settings) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    partner.during = die
    partner.owes(1)
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver_due(settings)
    assert partner.attempts() == [(None, None, False)]
    assert partner.rows("status, attempts") == [("waiting", 1)]
    assert outbox.deliver_due(settings) == 0
    partner.during = lambda: None
    partner.make_due()
    outbox.deliver_due(settings)
    assert partner.taken == [1]


def test_message_is_owed_only_if_its_cause_is_committed(partner: Partner, settings: Settings) -> None:
    with pytest.raises(RuntimeError), transaction(settings, Scope.nobody()) as session:
        outbox.post(session, partner.name, "visit", {"n": 1})
        raise RuntimeError
    assert partner.rows("id") == []


def test_messages_of_an_unknown_partner_hold_nobody_up(
    partner: Partner, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "BATCH", 2)
    known, partner.name = partner.name, f"{partner.name}-unknown"
    partner.owes(1, 2, 3, order_key=None)
    unknown, partner.name = partner.name, known
    partner.owes(4)
    assert outbox.deliver_due(settings) == 1
    assert partner.taken == [4]
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        connection.execute("delete from outbox_message where partner = %s", (unknown,))
