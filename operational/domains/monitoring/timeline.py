"""What signal cases put on the patient's card."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operational.domains.monitoring.signals import repository
from operational.domains.monitoring.signals.words import title_of
from operational.domains.patients.card import TimelineEntry, TimelineQuery, TimelineSource, register_timeline_source
from operational.web.formats import format_moment
from operational.web.texts import translate


def _entries(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    found = []
    for case in repository.cases_of_person(session, query.patient_ids, limit=query.limit):
        state = translate(query.language, f"signals.state.{case.state}")
        due = translate(query.language, "signals.due_line", at=format_moment(case.due_at, query.zone))
        found.append(
            TimelineEntry(
                at=case.opened_at,
                kind="signal",
                key=case.id,
                title=title_of(case.rule_code, "kk" if query.language == "kk" else "ru"),
                lines=(state, due),
                url=f"/signals/{case.id}",
                tone="ok" if case.state == "closed" else "danger" if case.severity == "critical" else "warning",
            )
        )
    return found


def _count(session: Session, patient_ids: tuple[int, ...]) -> int:
    return repository.count_of_person(session, patient_ids)


def register() -> None:
    """Put signal cases on every card; called once by the composition."""
    register_timeline_source(
        TimelineSource("signal", "signals.timeline", "signals.read", _entries, _count, icon="warning")
    )
