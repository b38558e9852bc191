"""Recording what laboratories deliver, and matching it by hand; of DICOM studies, see ``receiving_studies``.

It knows neither network nor syntax: ``device_ingest`` reads a message and hands its meaning over. Whoever calls gives
the session of one transaction; a message is acknowledged after that transaction has been committed.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from kmis.clock import Clock
from operational.domains.orders import receiving_errors as errors
from operational.domains.orders import receiving_repository as repository
from operational.domains.orders.models import DeviceMessage
from operational.domains.orders.receiving_matching import chosen_match, find_match, reason_of
from operational.domains.orders.receiving_results import FillerTaken, record_reports, withdraw_report
from operational.domains.orders.receiving_schemas import LabMessage, Match, Outcome, Received, lock_keys, stated
from operational.domains.orders.receiving_studies import dismiss_study, match_study, unmatch_study
from operational.domains.orders.service import settle
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.errors import NotFound

# A message in one of these states has been answered for; the same bytes again change nothing.
ANSWERED = ("matched", "unmatched", "resolved")


def record_report(session: Session, clock: Clock, received: Received, message: LabMessage) -> Outcome:
    """Record a laboratory message of a known device: its row, and its reports and values when its person is found.

    The same bytes again return the first outcome with ``repeated``. A message whose person is not found is kept as
    `unmatched`. The session's scope must hold the device's organisation.
    """
    if received.device is None:
        raise ValueError("a message of an unknown sender is quarantined, not recorded")
    repository.lock(session, *lock_keys(received, message))
    row = repository.message_by_raw(session, received.raw_sha256, received.device.id)
    if row is not None and row.status in ANSWERED:
        reports = repository.reports_of_message(session, row.id)
        return Outcome(row.id, row.status, repeated=True, report_ids=tuple(report.id for report in reports))
    numbers = sorted({number for report in message.reports for number in report.accession_numbers})
    match = find_match(session, "laboratory", received.organisation_id, numbers, message.person.iin)
    row = _write(session, received, row)
    row.control_id = message.control_id
    row.stated = stated(message)
    report_ids: tuple[int, ...] = ()
    if match.patient_id is not None:
        session.flush()
        try:
            with session.begin_nested():
                report_ids = record_reports(session, row, received.device.code, message, match, clock.now())
        except FillerTaken:
            match = Match(None, problem="filler_taken")
    _set_match(row, match)
    session.flush()
    return Outcome(row.id, row.status, report_ids=report_ids)


def record_refused(session: Session, received: Received, problem: str) -> int:
    """Keep in quarantine what could not be understood; returns the key of the message's row.

    ``problem`` is one of PROBLEMS. The same bytes from the same sender keep one row.
    """
    repository.lock(session, f"raw:{received.raw_sha256}")
    device_id = received.device.id if received.device else None
    row = repository.message_by_raw(session, received.raw_sha256, device_id)
    if row is not None and row.status in ANSWERED:
        return row.id
    row = _write(session, received, row)
    row.status = "quarantined"
    row.problem = problem
    session.flush()
    return row.id


def match_message(
    session: Session, clock: Clock, message_id: int, patient_id: int, order_id: int | None = None
) -> Outcome:
    """Give an unmatched message to a person, and to an order of that person, and record its results.

    Raises NotFound, AlreadyMatched, NothingToRecord, UnknownPerson, OrderOfAnotherPerson.
    """
    row = _message(session, message_id)
    if row.status == "matched":
        raise errors.AlreadyMatched()
    content = row.stated.get("message")
    if row.status != "unmatched" or content is None or row.device_id is None:
        raise errors.NothingToRecord()
    match = chosen_match(session, "laboratory", patient_id, order_id)
    message = LabMessage.model_validate(content)
    code = repository.device_code(session, row.device_id) or ""
    try:
        with session.begin_nested():
            report_ids = record_reports(session, row, code, message, match, clock.now())
    except FillerTaken:
        # The laboratory used the number for somebody else before; the user says whose this is.
        report_ids = record_reports(session, row, code, message, match, clock.now(), numbered=False)
    _set_match(row, match)
    session.flush()
    _audit(session, "device_message.matched", row)
    return Outcome(row.id, row.status, report_ids=report_ids)


def unmatch_message(session: Session, clock: Clock, message_id: int, reason: str) -> None:
    """Take a match back: the reports are voided with the reason, and the message waits in the inbox again.

    Raises NotFound, NotMatched, ReasonNeeded.
    """
    reason = reason_of(reason)
    row = _message(session, message_id)
    if row.status != "matched":
        raise errors.NotMatched()
    reports = repository.reports_of_message(session, row.id)
    orders = {key for key in (row.order_id, *(report.order_id for report in reports)) if key is not None}
    for report in reports:
        withdraw_report(session, report, reason, clock.now())
    row.status, row.problem = "unmatched", "unmatched_by_hand"
    row.patient_id = row.order_id = row.matched_by = None
    session.flush()
    for key in sorted(orders):
        order = repository.order(session, key)
        if order is not None:
            settle(session, order, clock.now())
    _audit(session, "device_message.unmatched", row, reason)


def dismiss_message(session: Session, clock: Clock, message_id: int, reason: str) -> None:
    """Take an unmatched or quarantined message out of the inbox; its raw form stays.

    Raises NotFound, AlreadyMatched, AlreadyResolved, ReasonNeeded.
    """
    reason = reason_of(reason)
    row = _message(session, message_id)
    if row.status == "matched":
        raise errors.AlreadyMatched()
    if row.status == "resolved":
        raise errors.AlreadyResolved()
    row.status = "resolved"
    row.resolved_at = clock.now()
    row.resolved_by = scope_of(session).user_id
    row.resolution = reason
    session.flush()
    _audit(session, "device_message.dismissed", row, reason)


def _message(session: Session, message_id: int) -> DeviceMessage:
    row = repository.message(session, message_id)
    if row is None:
        raise NotFound("message_id")
    return row


def _write(session: Session, received: Received, row: DeviceMessage | None) -> DeviceMessage:
    """The message's row: a new one, or the one of an earlier attempt, which is taken up again."""
    if row is None:
        row = DeviceMessage(
            owner_organisation_id=received.organisation_id,
            device_id=received.device.id if received.device else None,
            protocol=received.protocol,
            control_id=received.control_id,
            received_at=received.received_at,
            raw_path=received.raw_path,
            raw_bytes=received.raw_bytes,
            raw_sha256=received.raw_sha256,
        )
        session.add(row)
    return row


def _set_match(row: DeviceMessage, match: Match) -> None:
    row.status = "unmatched" if match.patient_id is None else "matched"
    row.patient_id, row.order_id = match.patient_id, match.order_id
    row.matched_by, row.problem = match.by, match.problem


def _audit(session: Session, action: str, row: DeviceMessage, reason: str | None = None) -> None:
    audit(
        session, action, object_table="device_message", object_id=row.id,
        organisation_id=row.owner_organisation_id, reason=reason,
    )  # fmt: skip


__all__ = [
    "dismiss_message", "dismiss_study", "match_message", "match_study", "record_refused", "record_report",
    "unmatch_message", "unmatch_study",
]  # fmt: skip
