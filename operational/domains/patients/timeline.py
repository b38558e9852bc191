"""What the register itself puts on the card beside attachments and records: the death."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operational.domains.patients import repository
from operational.domains.patients.card import (
    CardAction,
    TimelineEntry,
    TimelineQuery,
    TimelineSource,
    register_card_action,
    register_timeline_source,
)
from operational.domains.patients.pages_death import choices
from operational.web.texts import translate


def _entries(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    places = dict(choices(session, "death_place", query.language))
    return [
        TimelineEntry(
            at=death.died_at,
            kind="death",
            key=death.id,
            title=f"{translate(query.language, 'deaths.title')} · {death.underlying_icd10}",
            lines=(
                places.get(death.place, death.place),
                translate(query.language, "deaths.state.voided") if death.voided_at else "",
            ),
            url=f"/deaths/{death.id}",
            tone="danger",
            has_time_flag=death.time_known_flag,
        )
        for death in repository.deaths_of(session, query.patient_ids)[: query.limit]
    ]


def _count(session: Session, patient_ids: tuple[int, ...]) -> int:
    return len(repository.deaths_of(session, patient_ids))


def register() -> None:
    """Put deaths on every card; called once by the composition."""
    register_timeline_source(
        TimelineSource("death", "deaths.timeline", "deaths.read", _entries, _count, icon="document")
    )
    register_card_action(
        CardAction("deaths.new", "/deaths/new?patient={patient_id}", "deaths.register", "document", order=90)
    )
