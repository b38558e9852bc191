"""Refusals of matching what a device delivered."""

from __future__ import annotations

from operational.kit.errors import BusinessError, Conflict


class AlreadyMatched(Conflict):
    """The message or study has a patient already; take the match back first."""

    message_key = "receiving.error.already_matched"


class NotMatched(Conflict):
    """There is no match to take back."""

    message_key = "receiving.error.not_matched"


class NothingToRecord(Conflict):
    """The message could not be read, so it has no results; it can be dismissed only."""

    message_key = "receiving.error.nothing_to_record"


class AlreadyResolved(Conflict):
    """The message is dismissed already."""

    message_key = "receiving.error.already_resolved"


class UnknownPerson(BusinessError):
    """The chosen person is not in the user's scope, or the record is void."""

    message_key = "receiving.error.unknown_person"
    field = "patient_id"


class OrderOfAnotherPerson(BusinessError):
    """The chosen order is another person's, of another kind, or not in the user's scope."""

    message_key = "receiving.error.order_of_another"
    field = "order_id"


class ReasonNeeded(BusinessError):
    """Taking back or dismissing needs a reason of at least three letters."""

    message_key = "receiving.error.reason"
    field = "reason"
