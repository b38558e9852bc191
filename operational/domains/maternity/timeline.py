"""What pregnancies, their visits and births put on the patient's card."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from operational.domains.maternity import repository
from operational.domains.maternity.models import Birth, Pregnancy, PregnancyVisit
from operational.domains.organisation.models import Practitioner
from operational.domains.patients.card import (
    CardAction,
    TimelineEntry,
    TimelineQuery,
    TimelineSource,
    register_card_action,
    register_timeline_source,
)
from operational.domains.patients.models import Patient
from operational.web.texts import translate

KIND = "pregnancy"
CHILD_DAYS = 10 * 365  # nobody younger is offered the buttons of a pregnancy
RISK_TONES = {"low": "ok", "moderate": "warning", "high": "danger"}


def _registered(row: Pregnancy, query: TimelineQuery) -> TimelineEntry:
    at = datetime.combine(row.registered_on, time(), ZoneInfo(query.zone)).astimezone(UTC)

    def say(key: str) -> str:
        return translate(query.language, f"maternity.{key}")

    state = "state.voided" if row.voided_at else f"outcome.{row.outcome}" if row.outcome else "state.open"
    lines = (f"{say('risk')}: {say(f'risk.{row.risk_group}')}", say(state))
    tone = "danger" if row.voided_at else RISK_TONES[row.risk_group]
    title = say("timeline_registered")
    return TimelineEntry(at, KIND, row.id * 3, title, lines, f"/pregnancies/{row.id}", tone, has_time_flag=False)


def _visit(row: PregnancyVisit, practitioner: Practitioner, query: TimelineQuery) -> TimelineEntry:
    weeks, days = divmod(row.gestation_days, 7)
    lines = [
        translate(query.language, "maternity.term", weeks=weeks, days=days),
        f"{practitioner.surname} {practitioner.given_name}",
        f"{row.systolic}/{row.diastolic}" if row.systolic is not None else "",
    ]
    if row.voided_at:
        lines.append(translate(query.language, "maternity.state.voided"))
    return TimelineEntry(
        row.visited_at, KIND, row.id * 3 + 1, translate(query.language, "maternity.timeline_visit"), tuple(lines),
        f"/pregnancies/{row.pregnancy_id}", "danger" if row.voided_at else "info",
    )  # fmt: skip


def _birth(row: Birth, query: TimelineQuery) -> TimelineEntry:
    vital = "maternity.state.voided" if row.voided_at else f"maternity.vital.{row.vital_status}"
    lines = (translate(query.language, vital), f"{row.birth_order}/{row.plurality}")
    tone = "danger" if row.voided_at or row.vital_status != "live" else "ok"
    title = translate(query.language, "maternity.timeline_birth")
    return TimelineEntry(row.born_at, KIND, row.id * 3 + 2, title, lines, f"/births/{row.id}", tone)


def _entries(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    return [
        *(_registered(row, query) for row in repository.pregnancies_of(session, query.patient_ids)),
        *(
            _visit(row, practitioner, query)
            for row, practitioner in repository.visits_of(session, query.patient_ids, limit=query.limit)
        ),
        *(_birth(row, query) for row in repository.births_of(session, query.patient_ids)),
    ]


def _count(session: Session, patient_ids: tuple[int, ...]) -> int:
    return repository.count_of(session, patient_ids)


def _may_bear(patient: Patient, today: date) -> bool:
    """Whether the buttons of a pregnancy stand on this card; an unknown sex or age hides nothing."""
    if patient.death_date is not None or patient.sex == "M":
        return False
    return patient.birth_date is None or (today - patient.birth_date).days > CHILD_DAYS


def register() -> None:
    """Put pregnancies on every card; called once by the composition."""
    register_timeline_source(
        TimelineSource(KIND, "maternity.timeline", "maternity.read", _entries, _count, icon="people")
    )
    register_card_action(
        CardAction("maternity.new", "/pregnancies/new?patient={patient_id}", "maternity.write", "plus", _may_bear)
    )
    register_card_action(
        CardAction(
            "maternity.birth_new", "/births/new?patient={patient_id}", "maternity.deliver", "user-add", _may_bear
        )
    )
