"""What bookings put on the patient's card."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operational.domains.patients.card import (
    CardAction,
    TimelineEntry,
    TimelineQuery,
    TimelineSource,
    register_card_action,
    register_timeline_source,
)
from operational.domains.scheduling import repository
from operational.web.texts import translate

TONES = {"booked": "info", "arrived": "warning", "fulfilled": "ok", "noshow": "danger", "cancelled": "neutral"}


def _entries(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    return [
        TimelineEntry(
            at=row.starts_at,
            kind="appointment",
            key=row.id,
            title=translate(query.language, "scheduling.timeline_entry"),
            lines=(
                f"{doctor.surname} {doctor.given_name}",
                translate(query.language, f"scheduling.status.{row.status}"),
            ),
            tone=TONES[row.status],
        )
        for row, doctor in repository.bookings_of(session, query.patient_ids, limit=query.limit)
    ]


def _count(session: Session, patient_ids: tuple[int, ...]) -> int:
    return repository.count_bookings(session, patient_ids)


def register() -> None:
    """Put bookings on every card; called once by the composition."""
    register_timeline_source(
        TimelineSource("appointment", "scheduling.timeline", "scheduling.read", _entries, _count, icon="calendar")
    )
    register_card_action(CardAction("scheduling.nav_book", "/book?patient={patient_id}", "scheduling.book", "clock"))
