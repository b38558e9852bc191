"""Handlers that close cases when their condition is met; they run through the outbox, in the scope of the
organisation that did the deed, which is the one that answers for the case."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kmis.clock import Clock
from operational.domains.monitoring.models import SignalCase, SignalEvent
from operational.domains.monitoring.signals import repository
from operational.events.encounters import VisitSigned, VisitVoided
from operational.events.home_visits import HomeCallDone
from operational.events.maternity import PregnancyVisitHeld
from operational.events.monitoring import SignalOpened
from operational.kit.access import scope_of
from signal_sheets.rules import rule_of

VISITED = "visited"


def of_visit(session: Session, event: VisitSigned, clock: Clock, zone: ZoneInfo) -> None:
    """A signed visit to the organisation that answers closes what waits for one."""
    visit = repository.encounter(session, event.subject_id)
    if visit is not None and visit.signed_at is not None and visit.voided_at is None:
        _met(session, visit.patient_id, visit.owner_organisation_id, clock)


def of_voided_visit(session: Session, event: VisitVoided, clock: Clock, zone: ZoneInfo) -> None:
    """The visit that closed a case was entered in error: the case is open again, unless another visit stands."""
    for case in repository.closed_by(session, "encounter", event.subject_id):
        case.state, case.closed_at, case.outcome, case.visited_at = reached(case), None, None, None
        note(session, case, "reopened", clock.now(), detail={"by": "encounter", "key": event.subject_id})
        session.flush()
        _met(session, case.patient_id, case.owner_organisation_id, clock)


def of_home_call(session: Session, event: HomeCallDone, clock: Clock, zone: ZoneInfo) -> None:
    """A performed home call or active closes what waits for a visit."""
    call = repository.home_call(session, event.subject_id)
    if call is not None and call.status == "done" and call.voided_at is None:
        _met(session, call.patient_id, call.owner_organisation_id, clock)


def of_pregnancy_visit(session: Session, event: PregnancyVisitHeld, clock: Clock, zone: ZoneInfo) -> None:
    """An examination of a pregnant woman outside hospital closes what waits for it."""
    visit = repository.pregnancy_visit(session, event.subject_id)
    if visit is not None and visit.voided_at is None:
        _met(session, visit.patient_id, visit.owner_organisation_id, clock)


def of_opened(session: Session, event: SignalOpened, clock: Clock, zone: ZoneInfo) -> None:
    """What was done before the case became known counts: a discharge signed late may find the visit made."""
    _met(session, event.patient_id, event.organisation_id, clock)


def _met(session: Session, patient_id: int, organisation_id: int, clock: Clock) -> None:
    """Close each open case of the person for which the organisation has done what the rule waits for."""
    records = repository.records_of(session, patient_id)
    for case in repository.open_cases(session, records, organisation_id):
        rule = rule_of(case.rule_code, case.rule_version)
        if rule is None or not rule.closes_on:
            continue
        since = max(case.event_at, repository.reopened_at(session, case.id) or case.event_at)
        acts = repository.acts_since(session, records, organisation_id, since)
        done = next((act for act in acts if act[0] in rule.closes_on), None)
        if done is None:
            continue
        _, table, key, at = done
        close(session, case, VISITED, clock.now(), visited_at=at, detail={"by": table, "key": key})


def close(
    session: Session, case: SignalCase, outcome: str, now: datetime, *, visited_at: datetime | None = None,
    note_text: str | None = None, detail: dict[str, object] | None = None,
) -> None:  # fmt: skip
    """Close a case with a coded outcome; the history says what closed it."""
    case.state, case.outcome, case.closed_at = "closed", outcome, max(now, case.opened_at)
    if visited_at is not None:
        case.visited_at = visited_at
    note(session, case, "closed", now, note_text=note_text, detail={"outcome": outcome, **(detail or {})})
    session.flush()


def note(
    session: Session, case: SignalCase, kind: str, now: datetime, *, note_text: str | None = None,
    detail: dict[str, object] | None = None,
) -> None:  # fmt: skip
    """Add to the history of a case."""
    session.add(
        SignalEvent(
            owner_organisation_id=case.owner_organisation_id, case_id=case.id, patient_id=case.patient_id, kind=kind,
            at=now, user_id=scope_of(session).user_id, note=note_text, detail=detail or {},
        )
    )  # fmt: skip


def reached(case: SignalCase) -> str:
    """The state that an open case has come to by what was done, a visit that fell away left out."""
    if case.contacted_at is not None:
        return "contacted"
    if case.seen_at is not None:
        return "seen"
    return "delivered" if case.delivered_at is not None else "opened"
