"""Handlers that open, extend and withdraw cases, in the transaction of the event that causes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kmis.clock import Clock, local_date
from operational.domains.inpatient.models import HospitalStay
from operational.domains.monitoring.signals.evidence import gathering, repository
from operational.domains.monitoring.signals.evidence.gathering import Responsible
from operational.events.inpatient import StayChanged, StayDischarged, StayWithdrawn, TransfusionGiven, VitalSignsTaken
from operational.events.monitoring import SignalOpened
from operational.events.patients import DeathRegistered, DeathVoided
from operational.kit.events import announce
from signal_sheets.rules import Proposal, evaluate, rules_of

WITHDRAWN = "condition_withdrawn"
IN_ERROR = "entered_in_error"


@dataclass(frozen=True, slots=True)
class Cause:
    """The event that a case is about: whose, where it happened, what the hospital advised."""

    patient_id: int
    origin_organisation_id: int
    recommendations: str | None = None


def of_discharge(session: Session, event: StayDischarged, clock: Clock, zone: ZoneInfo) -> None:
    """A discharge, or its correction: sheets that it belongs on are opened, the others withdrawn."""
    stay = repository.stay(session, event.subject_id)
    if stay is not None:
        _settle_discharge(session, stay, clock, zone)


def of_withdrawal(session: Session, event: StayWithdrawn, clock: Clock, zone: ZoneInfo) -> None:
    """A stay was voided or its discharge taken back: its sheets are withdrawn."""
    stay = repository.stay(session, event.subject_id)
    if stay is not None:
        _settle_discharge(session, stay, clock, zone)
        _settle_woman(session, stay, clock, zone)


def of_stay(session: Session, event: StayChanged, clock: Clock, zone: ZoneInfo) -> None:
    """A stay began or changed: a woman in danger has a case."""
    stay = repository.stay(session, event.subject_id)
    if stay is not None:
        _settle_woman(session, stay, clock, zone)


def of_vital_signs(session: Session, event: VitalSignsTaken, clock: Clock, zone: ZoneInfo) -> None:
    """Measurements were written or corrected."""
    _settle_woman_of(session, repository.stay_of_vitals(session, event.subject_id), clock, zone)


def of_transfusion(session: Session, event: TransfusionGiven, clock: Clock, zone: ZoneInfo) -> None:
    """Blood was given."""
    _settle_woman_of(session, repository.stay_of_transfusion(session, event.subject_id), clock, zone)


def of_death(session: Session, event: DeathRegistered, clock: Clock, zone: ZoneInfo) -> None:
    """A death closes what was open about the person and stands on the sheet of deaths."""
    death = repository.death(session, event.subject_id)
    if death is None:
        return
    now = clock.now()
    repository.signals_of_death(session, death.patient_id, died_flag=True, at=now)
    facts = gathering.of_death(session, death, zone)
    proposals = evaluate(rules_of("death"), facts, zone)
    cause = Cause(death.patient_id, death.hospital_organisation_id or death.owner_organisation_id)
    _settle(
        session, "death", death.id, proposals, cause, WITHDRAWN, clock, zone,
        lambda day: gathering.who_answers(session, death.patient_id, day, death.owner_organisation_id),
    )  # fmt: skip


def of_voided_death(session: Session, event: DeathVoided, clock: Clock, zone: ZoneInfo) -> None:
    """The person lives: the sheet of the death is withdrawn, what the death closed is open again."""
    now = clock.now()
    for code in sorted({rule.code for rule in rules_of("death")}):
        repository.withdraw_signal(session, code, "death", event.subject_id, IN_ERROR, now)
    repository.signals_of_death(session, event.patient_id, died_flag=False, at=now)


def _settle_discharge(session: Session, stay: HospitalStay, clock: Clock, zone: ZoneInfo) -> None:
    proposals = evaluate(rules_of("discharge"), gathering.of_discharge(session, stay), zone)
    cause = Cause(stay.patient_id, stay.owner_organisation_id, stay.recommendations)
    gone = IN_ERROR if stay.voided_at else WITHDRAWN
    _settle(
        session, "discharge", stay.id, proposals, cause, gone, clock, zone,
        lambda day: gathering.who_answers(session, stay.patient_id, day, stay.owner_organisation_id),
    )  # fmt: skip


def _settle_woman_of(session: Session, stay_id: int | None, clock: Clock, zone: ZoneInfo) -> None:
    stay = repository.stay(session, stay_id) if stay_id is not None else None
    if stay is not None:
        _settle_woman(session, stay, clock, zone)


def _settle_woman(session: Session, stay: HospitalStay, clock: Clock, zone: ZoneInfo) -> None:
    person = repository.patient(session, stay.patient_id)
    if person is None or person.sex == "M":
        return
    now = clock.now()
    proposals = evaluate(rules_of("maternal"), gathering.of_woman(session, stay, now, zone), zone)
    gone = IN_ERROR if stay.voided_at else WITHDRAWN
    _settle(
        session, "maternal", stay.id, proposals, Cause(stay.patient_id, stay.owner_organisation_id), gone, clock, zone,
        lambda day: gathering.who_leads(session, stay, day, now, zone),
    )  # fmt: skip


def _settle(
    session: Session, trigger: str, subject_id: int, proposals: list[Proposal], cause: Cause, gone: str, clock: Clock,
    zone: ZoneInfo, who: Callable[[date], Responsible],
) -> None:  # fmt: skip
    """Make the cases of a subject what the rules say now; who answers is looked up on the day of the event."""
    wanted = {one.rule.code for one in proposals}
    for rule in rules_of(trigger):
        if rule.code not in wanted:
            repository.withdraw_signal(session, rule.code, rule.subject, subject_id, gone, clock.now())
    for proposal in proposals:
        open_case(session, proposal, cause, who(local_date(proposal.event_at, zone)), clock, zone)


def open_case(
    session: Session, proposal: Proposal, cause: Cause, answers: Responsible, clock: Clock, zone: ZoneInfo
) -> int:
    """Open the case of a proposal, and say so to the organisation that answers when it is new; returns its key."""
    now = clock.now()
    key, kind = repository.open_signal(session, _columns(proposal, cause, answers, now))
    if kind in ("opened", "reopened"):
        announce(session, SignalOpened(key, cause.patient_id, answers.organisation_id), clock, zone)
    return key


def _columns(proposal: Proposal, cause: Cause, answers: Responsible, now: datetime) -> dict[str, Any]:
    rule = proposal.rule
    return {
        "patient_id": cause.patient_id,
        "owner_organisation_id": answers.organisation_id,
        "rule_code": rule.code,
        "rule_version": rule.version,
        "subject": rule.subject,
        "subject_id": proposal.subject_id,
        "severity": rule.severity,
        "audience": rule.audience,
        "reason_code": proposal.reason_code,
        "facts": {reason: dict(details) for reason, details in proposal.reasons.items()},
        "advice_codes": list(rule.advice),
        "recommendations": cause.recommendations,
        "origin_organisation_id": cause.origin_organisation_id,
        "icd10_code": proposal.icd10,
        "event_at": proposal.event_at.isoformat(),
        "opened_at": now.isoformat(),
        "due_at": rule.due_at(proposal.event_at, now).isoformat(),
        "site_id": answers.site_id,
        "practitioner_id": answers.practitioner_id,
        "nurse_id": answers.nurse_id,
    }
