"""What visits put on the patient's card."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operational.domains.encounters import repository
from operational.domains.patients.card import (
    CardAction,
    TimelineEntry,
    TimelineQuery,
    TimelineSource,
    register_card_action,
    register_timeline_source,
)
from operational.web.texts import translate


def _entries(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    def say(key: str, **params: object) -> str:
        return translate(query.language, key, **params)

    found = []
    for visit, doctor, main in repository.visits_of(session, query.patient_ids, limit=query.limit):
        state = "voided" if visit.voided_at else "signed" if visit.signed_at else "open"
        found.append(
            TimelineEntry(
                at=visit.started_at,
                kind="visit",
                key=visit.id,
                title=f"{say('visits.title')}{f' · {main}' if main else ''}",
                lines=(f"{doctor.surname} {doctor.given_name}", say(f"visits.state.{state}")),
                url=f"/visits/{visit.id}",
                tone={"voided": "danger", "signed": "ok", "open": "warning"}[state],
            )
        )
    return found


def _count(session: Session, patient_ids: tuple[int, ...]) -> int:
    return repository.count_visits(session, patient_ids)


def register() -> None:
    """Put visits on every card; called once by the composition."""
    register_timeline_source(
        TimelineSource("visit", "visits.timeline", "encounters.read", _entries, _count, icon="visit")
    )
    register_card_action(CardAction("visits.new", "/visits/new?patient={patient_id}", "encounters.write", icon="visit"))
