"""A handler that fails refuses nothing: what was being saved stays, and the handler is owed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from kmis.clock import Clock, FixedClock
from kmis.settings import Settings
from operational.kit import events, outbox
from operational.kit.access import Scope, scope_of
from operational.kit.db import transaction

CLOCK = FixedClock(datetime(2026, 11, 24, 9, 0, tzinfo=UTC))
ZONE = ZoneInfo("Asia/Oral")
heard: list[tuple[str, int, frozenset[int]]] = []
broken: set[str] = set()


@dataclass(frozen=True, slots=True)
class Happened(events.Event):
    """Something happened."""


def good(session: Session, event: Happened, clock: Clock, zone: ZoneInfo) -> None:
    heard.append(("good", event.subject_id, scope_of(session).organisation_ids))


def failing(session: Session, event: Happened, clock: Clock, zone: ZoneInfo) -> None:
    session.execute(text("select count(*) from patient"))
    if "database" in broken:
        session.execute(text("select 1 / 0"))
    if "code" in broken:
        raise ValueError("a text that is not kept")
    heard.append(("failing", event.subject_id, scope_of(session).organisation_ids))


def later(session: Session, event: Happened, clock: Clock, zone: ZoneInfo) -> None:
    heard.append(("later", event.subject_id, scope_of(session).organisation_ids))


@pytest.fixture(autouse=True)
def composed(settings: Settings, world: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(outbox, "_partners", {})
    monkeypatch.setattr(events, "_at_once", {})
    monkeypatch.setattr(events, "_later", {})
    events.subscribe({Happened: (failing, good)}, {Happened: (later,)})
    heard.clear()
    broken.clear()
    yield
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        ours = "select id from outbox_message where payload ->> 'event' = 'Happened'"
        connection.execute(f"delete from outbox_attempt where message_id in ({ours})")
        connection.execute("delete from outbox_message where payload ->> 'event' = 'Happened'")
        connection.execute("delete from document_draft where form_key = 'event'")


def owed(settings: Settings) -> list[tuple[Any, ...]]:
    with psycopg.connect(settings.dsn("kmis_owner")) as connection:
        return connection.execute(
            "select split_part(payload ->> 'handler', '.', -1), status from outbox_message"
            " where payload ->> 'event' = 'Happened' order by id"
        ).fetchall()


def announced(settings: Settings, scope: Scope, subject: int = 7) -> None:
    """A transaction that saves a row and says what happened."""
    organisation = next(iter(scope.organisation_ids))
    with transaction(settings, scope) as session:
        session.execute(
            text(
                "insert into document_draft (owner_organisation_id, author_id, form_key, subject_key, content)"
                " values (:organisation, :user, 'event', :key, '{}')"
            ),
            {"organisation": organisation, "user": scope.user_id, "key": str(subject)},
        )
        events.announce(session, Happened(subject, 3, organisation), CLOCK, ZONE)


def saved(settings: Settings, scope: Scope) -> list[str]:
    with transaction(settings, scope) as session:
        return list(session.execute(text("select subject_key from document_draft where form_key = 'event'")).scalars())


@pytest.mark.parametrize("fault", ["code", "database"])
def test_a_failing_handler_leaves_what_is_saved_and_the_others(settings: Settings, scope: Scope, fault: str) -> None:
    broken.add(fault)
    announced(settings, scope)
    assert saved(settings, scope) == ["7"]
    assert [name for name, _, _ in heard] == ["good"]
    assert owed(settings) == [("failing", "waiting"), ("later", "waiting")]


def test_what_is_owed_runs_in_the_scope_of_the_organisation(settings: Settings, scope: Scope) -> None:
    broken.add("code")
    announced(settings, scope)
    broken.clear()
    while outbox.deliver_due(settings):
        pass
    assert owed(settings) == [("failing", "delivered"), ("later", "delivered")]
    assert [(name, subject) for name, subject, _ in heard] == [("good", 7), ("failing", 7), ("later", 7)]
    assert {organisations for _, _, organisations in heard} == {scope.organisation_ids}


def test_nothing_fails_and_nothing_is_owed_but_what_comes_later(settings: Settings, scope: Scope) -> None:
    announced(settings, scope)
    assert [name for name, _, _ in heard] == ["failing", "good"]
    assert owed(settings) == [("later", "waiting")]


def test_an_event_that_is_undone_is_not_told(settings: Settings, scope: Scope) -> None:
    organisation = next(iter(scope.organisation_ids))
    with pytest.raises(RuntimeError), transaction(settings, scope) as session:
        events.announce(session, Happened(8, 3, organisation), CLOCK, ZONE)
        raise RuntimeError
    assert owed(settings) == []


def test_an_owed_handler_that_is_gone_stays_owed(settings: Settings, scope: Scope) -> None:
    announced(settings, scope)
    events.subscribe({}, {})
    assert outbox.deliver_due(settings) == 1
    assert owed(settings) == [("later", "waiting")]
