"""Recording DICOM objects as they come, completing their study, and matching it by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from kmis.clock import Clock
from operational.domains.orders import receiving_errors as errors
from operational.domains.orders import receiving_repository as repository
from operational.domains.orders.models import ImagingStudy
from operational.domains.orders.receiving_matching import (
    begin_order,
    chosen_match,
    complete_order,
    find_match,
    reason_of,
)
from operational.domains.orders.receiving_schemas import DeliveredInstance, KnownDevice, Verdict
from operational.domains.orders.service import settle
from operational.kit.access import Scope, scope_of
from operational.kit.audit import audit
from operational.kit.db import Standing, give_reason
from operational.kit.errors import NotFound


def record_instances(
    session: Session, clock: Clock, device: KnownDevice, batch: Sequence[DeliveredInstance]
) -> list[Verdict]:
    """Write the index rows of objects whose files are durable; one answer per object, in their order.

    `stored`: new; `same`: known with the same digest; `differs`: known with another content; `foreign`: the study or
    the object is kept by another organisation. The first object of a study makes the study and looks for its person.
    """
    first: dict[str, DeliveredInstance] = {}
    for item in batch:
        first.setdefault(item.sop_uid, item)
    added = repository.add_instances(session, device.organisation_id, list(first.values()))
    missing = {item.study_uid: item for item in batch if item.sop_uid not in added}
    begun = {uid for uid, item in missing.items() if _begin_study(session, clock, device, item)}
    if begun:
        added |= repository.add_instances(
            session, device.organisation_id, [item for item in first.values() if item.study_uid in begun]
        )
    reopened = {first[uid].study_uid for uid, status in added.items() if status == "available"}
    if reopened:
        repository.reopen_studies(session, reopened)
    if len(added) == len(batch):
        return ["stored"] * len(batch)
    standing = repository.digests(session, first)
    verdicts: list[Verdict] = []
    for item in batch:
        digest = standing.get(item.sop_uid)
        if item.sop_uid in added and first[item.sop_uid] is item:
            verdicts.append("stored")
        elif digest is None:
            verdicts.append("foreign")
        else:
            verdicts.append("same" if digest == item.sha256 else "differs")
    return verdicts


def add_at_once(store: Standing, scope: Scope, device: KnownDevice, batch: Sequence[DeliveredInstance]) -> set[str]:
    """Index what is new of studies that are being received, in one step; returns the UIDs that are done.

    The others go through ``record_instances``.
    """
    rows = store.run(scope, repository.ADD_INSTANCES, repository.instance_values(device.organisation_id, batch))
    return {row[0] for row in rows if row[1] == "receiving"}


def settle_study(session: Session, clock: Clock, study_uid: str) -> None:
    """Nothing more comes for now: count the study's series and objects, and complete its order."""
    study = repository.study_by_uid(session, study_uid)
    if study is None or study.voided_at is not None:
        return
    series, instances = repository.instance_counts(session, study_uid)
    if (study.status, study.series, study.instances) == ("available", series, instances):
        return
    study.status, study.series, study.instances = "available", series, instances
    if study.order_id is not None:
        complete_order(repository.order(session, study.order_id), clock.now())
    session.flush()


def quiet_studies(session: Session, clock: Clock, quiet: timedelta) -> Sequence[str]:
    """Studies still marked as being received although nothing has come for ``quiet``: their listener ended early."""
    return repository.quiet_studies(session, clock.now() - quiet)


def match_study(
    session: Session, clock: Clock, study_id: int, patient_id: int, order_id: int | None = None
) -> ImagingStudy:
    """Give an unmatched study to a person, and to an imaging order of that person.

    Raises NotFound, AlreadyMatched, UnknownPerson, OrderOfAnotherPerson.
    """
    study = _study(session, study_id)
    if study.patient_id is not None:
        raise errors.AlreadyMatched()
    match = chosen_match(session, "imaging", patient_id, order_id)
    now = clock.now()
    study.patient_id, study.order_id = match.patient_id, match.order_id
    study.matched_at, study.matched_by = now, "hand"
    study.matched_user_id = scope_of(session).user_id
    if order_id is not None:
        order = repository.order(session, order_id)
        begin_order(order)
        if study.status == "available":
            complete_order(order, now)
    session.flush()
    _audit(session, "imaging_study.matched", study)
    return study


def unmatch_study(session: Session, clock: Clock, study_id: int, reason: str) -> ImagingStudy:
    """Take the match of a study back: it waits in the inbox again; its order is what its other deliveries make of it.

    Raises NotFound, NotMatched, ReasonNeeded.
    """
    reason = reason_of(reason)
    study = _study(session, study_id)
    if study.patient_id is None:
        raise errors.NotMatched()
    give_reason(session, reason)
    order = repository.order(session, study.order_id) if study.order_id is not None else None
    study.patient_id = study.order_id = study.matched_at = study.matched_by = study.matched_user_id = None
    study.stated = study.stated | {"problem": "unmatched_by_hand"}
    session.flush()
    if order is not None:
        settle(session, order, clock.now())
    _audit(session, "imaging_study.unmatched", study, reason)
    return study


def dismiss_study(session: Session, clock: Clock, study_id: int, reason: str) -> None:
    """Take an unmatched study out of the inbox, for instance a test picture; its files stay.

    Raises NotFound, AlreadyMatched, ReasonNeeded.
    """
    reason = reason_of(reason)
    study = _study(session, study_id)
    if study.patient_id is not None:
        raise errors.AlreadyMatched()
    study.voided_at, study.void_reason = clock.now(), reason
    session.flush()
    _audit(session, "imaging_study.dismissed", study, reason)


def _begin_study(session: Session, clock: Clock, device: KnownDevice, item: DeliveredInstance) -> bool:
    """Make the study of its first object; False when there is one already, whoever keeps it."""
    if repository.has_study(session, item.study_uid):
        return False
    numbers = [item.accession_number] if item.accession_number else []
    match = find_match(session, "imaging", device.organisation_id, numbers, item.person.iin)
    now: datetime = clock.now()
    made = repository.add_study(session, {
        "owner_organisation_id": device.organisation_id, "study_uid": item.study_uid, "device_id": device.id,
        "patient_id": match.patient_id, "order_id": match.order_id, "accession_number": item.accession_number,
        "modality": item.modality or device.modality, "body_part": item.body_part, "description": item.description,
        "started_at": item.started_at or now, "received_at": now,
        "stated": {
            "person": item.person.model_dump(mode="json"),
            "accession_numbers": numbers, "problem": match.problem,
        },
        "matched_at": now if match.patient_id is not None else None,
        "matched_by": match.by,
    })  # fmt: skip
    if made and match.order_id is not None:
        begin_order(repository.order(session, match.order_id))
        session.flush()
    return made


def _study(session: Session, study_id: int) -> ImagingStudy:
    study = repository.study(session, study_id)
    if study is None or study.voided_at is not None:
        raise NotFound("study_id")
    return study


def _audit(session: Session, action: str, study: ImagingStudy, reason: str | None = None) -> None:
    audit(
        session, action, object_table="imaging_study", object_id=study.id,
        organisation_id=study.owner_organisation_id, reason=reason,
    )  # fmt: skip
