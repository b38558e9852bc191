"""What home calls put on the patient's card."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operational.domains.home_visits import repository, views
from operational.domains.patients.card import (
    CardAction,
    TimelineEntry,
    TimelineQuery,
    TimelineSource,
    register_card_action,
    register_timeline_source,
)
from operational.web.texts import translate

TONES = {"registered": "warning", "assigned": "info", "done": "ok", "not_found": "danger", "cancelled": "neutral",
         "voided": "danger"}  # fmt: skip


def _entries(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    found = []
    for call, practitioner in repository.calls_of(session, query.patient_ids, limit=query.limit):
        state = views.state_of(call)
        lines = (
            call.complaint,
            views.person(practitioner) if practitioner else "",
            translate(query.language, f"home_visits.state.{state}"),
            call.result_note or "",
        )
        title = translate(query.language, f"home_visits.kind.{call.kind}")
        found.append(
            TimelineEntry(call.called_at, "home_call", call.id, title, lines, f"/home-calls/{call.id}", TONES[state])
        )
    return found


def _count(session: Session, patient_ids: tuple[int, ...]) -> int:
    return repository.count_calls(session, patient_ids)


def register() -> None:
    """Put home calls on every card; called once by the composition."""
    register_timeline_source(
        TimelineSource("home_call", "home_visits.timeline", "home_visits.read", _entries, _count, icon="home")
    )
    register_card_action(
        CardAction("home_visits.new", "/home-calls/new?patient={patient_id}", "home_visits.register", "home")
    )
