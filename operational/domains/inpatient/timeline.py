"""What the hospital puts on the patient's card, and its word against a death of somebody who lies in a ward."""

from __future__ import annotations

from sqlalchemy.orm import Session

from operational.domains.inpatient import errors, repository, views
from operational.domains.inpatient.wards import repository as wards
from operational.domains.patients import dying
from operational.domains.patients.card import (
    CardAction,
    TimelineEntry,
    TimelineQuery,
    TimelineSource,
    register_card_action,
    register_timeline_source,
)
from operational.kit.errors import BusinessError
from operational.web.formats import format_moment
from operational.web.texts import translate


def _stays(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    def say(key: str, **params: object) -> str:
        return translate(query.language, key, **params)

    outcomes = {
        row.code: views.named(row, query.language) for row in views.coded(session, ("stay_outcome",))["stay_outcome"]
    }
    found = []
    for stay, main in wards.stays_of(session, query.patient_ids, limit=query.limit):
        if stay.voided_at:
            state, tone = say("inpatient.state.voided"), "danger"
        elif stay.discharged_at:
            outcome = outcomes.get(stay.outcome or "", stay.outcome or "")
            state, tone = f"{outcome}, {format_moment(stay.discharged_at, query.zone)}", "ok"
        else:
            state, tone = say("inpatient.state.open"), "warning"
        found.append(
            TimelineEntry(
                at=stay.admitted_at, kind="stay", key=stay.id,
                title=f"{say('inpatient.stay')}{f' · {main}' if main else ''}",
                lines=(say("inpatient.case", number=stay.case_number), state), url=f"/stays/{stay.id}", tone=tone,
            )
        )  # fmt: skip
        found += _operations(session, query, stay.id) if not stay.voided_at else []
    return found


def _operations(session: Session, query: TimelineQuery, stay_id: int) -> list[TimelineEntry]:
    return [
        TimelineEntry(
            at=row.operation.started_at, kind="stay", key=-row.operation.id,
            title=translate(query.language, "inpatient.operation"),
            lines=(f"{row.operation.operation_code} {views.named(row.name, query.language)}",),
            url=f"/stays/{stay_id}#operations", tone="info",
        )
        for row in repository.operations(session, stay_id)
    ]  # fmt: skip


def _count_stays(session: Session, patient_ids: tuple[int, ...]) -> int:
    return wards.count_stays(session, patient_ids) + wards.count_operations(session, patient_ids)


def _presentations(session: Session, query: TimelineQuery) -> list[TimelineEntry]:
    tones = {"waiting": "warning", "refused": "danger", "died": "danger"}
    return [
        TimelineEntry(
            at=row.arrived_at, kind="presentation", key=row.id,
            title=translate(query.language, "inpatient.presentation"),
            lines=(
                translate(query.language, f"inpatient.decision.{row.decision}"),
                translate(query.language, "inpatient.state.voided") if row.voided_at else "",
            ),
            url=f"/admission/{row.id}", tone="danger" if row.voided_at else tones.get(row.decision, "info"),
        )
        for row in wards.presentations_of(session, query.patient_ids, limit=query.limit)
    ]  # fmt: skip


def _count_presentations(session: Session, patient_ids: tuple[int, ...]) -> int:
    return wards.count_presentations(session, patient_ids)


def _lies_here(session: Session, patient_ids: tuple[int, ...]) -> BusinessError | None:
    """The death of a patient in a ward is registered with the discharge, not beside it."""
    lying = any(repository.open_stay(session, key) is not None for key in patient_ids)
    return errors.DeathOfInpatient() if lying else None


def _died_here(session: Session, patient_ids: tuple[int, ...]) -> BusinessError | None:
    """A death that a discharge or a decision registered goes when that is taken back."""
    return errors.DeathOfDischarge() if wards.died_in_hospital(session, patient_ids) else None


def register() -> None:
    """Put the hospital on every card; called once by the composition."""
    register_timeline_source(
        TimelineSource("stay", "inpatient.timeline.stays", "inpatient.read", _stays, _count_stays, icon="building")
    )
    register_timeline_source(
        TimelineSource(
            "presentation", "inpatient.timeline.presentations", "inpatient.read", _presentations,
            _count_presentations, icon="user-add",
        )
    )  # fmt: skip
    register_card_action(
        CardAction("inpatient.new", "/admission/new?patient={patient_id}", "inpatient.admit", icon="user-add")
    )
    dying.register_guard("inpatient", _lies_here, _died_here)
