"""To whom something that a device delivered belongs: by accession number, else by IIN, else to nobody yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from kmis.iin import is_valid
from operational.domains.orders import receiving_errors as errors
from operational.domains.orders import receiving_repository as repository
from operational.domains.orders.models import DiagnosticOrder
from operational.domains.orders.receiving_schemas import Match
from operational.domains.patients.repository import find_in_region


def find_match(
    session: Session, category: str, organisation_id: int, accession_numbers: Sequence[str], iin: str | None
) -> Match:
    """The person and the order. An order whose person is not the one with the stated IIN matches nobody: a value in
    the wrong record is worse than one that waits."""
    found = find_in_region(session, iin) if iin and is_valid(iin) else None
    orders = repository.order_by_accession(session, accession_numbers, category, organisation_id)
    if len({order.patient_id for order in orders}) > 1:
        return Match(None, problem="several_patients")
    if orders:
        order = orders[0]
        person = repository.patient(session, order.patient_id)
        if found is not None and found.id not in (order.patient_id, person.merged_into_id if person else None):
            return Match(None, problem="order_and_iin_differ")
        return Match(order.patient_id, order.id if len(orders) == 1 else None, "accession")
    if found is not None:
        return Match(found.id, None, "iin")
    return Match(None, problem="unknown_patient")


def chosen_match(session: Session, category: str, patient_id: int, order_id: int | None) -> Match:
    """What a user chose. Raises UnknownPerson or OrderOfAnotherPerson."""
    if repository.patient(session, patient_id) is None:
        raise errors.UnknownPerson()
    if order_id is not None:
        order = repository.order(session, order_id)
        if order is None or order.patient_id != patient_id or order.category != category:
            raise errors.OrderOfAnotherPerson()
    return Match(patient_id, order_id, "hand")


def begin_order(order: DiagnosticOrder | None) -> None:
    """Something of the order was delivered."""
    if order is not None and order.status == "active":
        order.status = "in_progress"


def complete_order(order: DiagnosticOrder | None, at: datetime) -> None:
    """All of the order was delivered."""
    if order is not None and order.status in ("active", "in_progress"):
        order.status = "completed"
        order.completed_at = at


def reason_of(reason: str) -> str:
    """The reason without blanks around it. Raises ReasonNeeded."""
    if len(reason.strip()) < 3:
        raise errors.ReasonNeeded()
    return reason.strip()
