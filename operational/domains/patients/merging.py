"""Two records of one person: made one, and taken apart again. Nothing that belongs to either is rewritten.

Each decision is a row of ``patient_merge``; the standing ones form a tree whose root is the survivor, and a
trigger keeps ``patient.merged_into_id`` of every record below naming that root. Signed documents keep the
identity they were signed with, because they hold it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from operational.domains.patients import errors, repository
from operational.domains.patients.models import Patient, PatientMerge
from operational.domains.patients.service import get, require_reason
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.db import give_reason


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two records side by side; ``differing`` names the fields that disagree."""

    source: Patient
    target: Patient
    differing: frozenset[str]


COMPARED = (
    "patient_no", "iin", "surname", "given_name", "patronymic", "earlier_surnames", "birth_date", "sex",
    "identity_kind", "document_number", "phone", "address", "death_date", "created_at",
)  # fmt: skip


def compare(session: Session, source_id: int, target_id: int) -> Comparison:
    """The two records as they would be merged: the target is the survivor of its own merges.

    Raises PatientNotFound and the refusals of ``merge``.
    """
    source, target = _pair(session, source_id, target_id, lock=False)
    differing = frozenset(name for name in COMPARED if getattr(source, name) != getattr(target, name))
    return Comparison(source, target, differing)


def merge(session: Session, source_id: int, target_id: int, reason: str, now: datetime) -> Patient:
    """Make ``source`` one person with ``target``; the surviving record.

    Raises PatientNotFound, SameRecord, AlreadyOnePerson, AlreadyMerged, VoidedRecord, ReasonRequired.
    """
    scope = scope_of(session)
    source, target = _pair(session, source_id, target_id, lock=True)
    reason = require_reason(reason)
    give_reason(session, reason)
    session.add(
        PatientMerge(
            owner_organisation_id=scope.home_organisation_id,
            source_patient_id=source.id,
            target_patient_id=target.id,
            reason=reason,
            merged_at=now,
            merged_by=scope.user_id,
        )
    )
    session.flush()
    session.refresh(source)
    audit(
        session, "patient.merged", object_table="patient", object_id=target.id, reason=reason,
        detail={"source_id": source.id},
    )  # fmt: skip
    return target


def separate(session: Session, source_id: int, reason: str, now: datetime) -> Patient:
    """Take the merge of ``source`` back; what had been merged into it before comes with it.

    Raises PatientNotFound, NotMerged, ReasonRequired.
    """
    source = repository.get(session, source_id, lock=True)
    if source is None:
        raise errors.PatientNotFound
    decision = repository.open_merge(session, source_id)
    if decision is None:
        raise errors.NotMerged
    reason = require_reason(reason)
    give_reason(session, reason)
    decision.separated_at = now
    decision.separated_by = scope_of(session).user_id
    decision.separation_reason = reason
    session.flush()
    session.refresh(source)
    audit(
        session, "patient.separated", object_table="patient", object_id=source.id, reason=reason,
        detail={"target_id": decision.target_patient_id},
    )  # fmt: skip
    return source


def _pair(session: Session, source_id: int, target_id: int, *, lock: bool) -> tuple[Patient, Patient]:
    if source_id == target_id:
        raise errors.SameRecord
    if lock:
        # In one order, so that two users who merge the same pair both ways do not wait for each other.
        for key in sorted((source_id, target_id)):
            repository.get(session, key, lock=True)
    source, target = get(session, source_id), get(session, target_id)
    if source.merged_into_id is not None:
        if source.merged_into_id in (target.id, target.merged_into_id):
            raise errors.AlreadyOnePerson
        raise errors.AlreadyMerged
    if target.merged_into_id is not None:
        if target.merged_into_id == source.id:
            raise errors.AlreadyOnePerson
        target = repository.get(session, target.merged_into_id, lock=lock) or target
    if source.voided_at is not None or target.voided_at is not None:
        raise errors.VoidedRecord
    return source, target
