"""Refusals of home calls."""

from __future__ import annotations

from operational.kit.errors import BusinessError, Conflict


class CallClosed(Conflict):
    """A performed, unanswered or cancelled call changes only after it was opened again."""

    message_key = "home_visits.error.closed"


class CallNotClosed(Conflict):
    """Only a closed call is opened again."""

    message_key = "home_visits.error.not_closed"


class CallVoided(Conflict):
    """A call entered in error changes no more."""

    message_key = "home_visits.error.voided"


class CallerDied(BusinessError):
    """Nobody is called to a person who died before."""

    message_key = "home_visits.error.died"
    field = "called_at"


class CalledInFuture(BusinessError):
    """A call is registered after it came."""

    message_key = "home_visits.error.future"
    field = "called_at"


class CalledBeforeBirth(BusinessError):
    """No call before the patient was born."""

    message_key = "home_visits.error.before_birth"
    field = "called_at"


class DueBeforeCall(BusinessError):
    """A call is due after it came."""

    message_key = "home_visits.error.due"
    field = "due_at"


class PerformedBeforeCall(BusinessError):
    """A call is performed after it came."""

    message_key = "home_visits.error.performed_before"
    field = "performed_at"


class PerformedInFuture(BusinessError):
    """What is performed lies in the past."""

    message_key = "home_visits.error.performed_future"
    field = "performed_at"


class AssignedToNobody(BusinessError):
    """A call is handed over to somebody."""

    message_key = "home_visits.error.nobody"
    field = "practitioner_id"


class NotOnTheStaff(BusinessError):
    """Who goes has a position in the organisation on the day."""

    message_key = "home_visits.error.not_staff"
    field = "practitioner_id"


class SiteOfAnother(BusinessError):
    """The site belongs to the organisation that serves the call."""

    message_key = "home_visits.error.site"
    field = "site_id"


class VisitOfAnother(BusinessError):
    """The visit that belongs to a call is one of the same patient at home."""

    message_key = "home_visits.error.encounter"
    field = "encounter_id"


class ReasonNeeded(BusinessError):
    """A reason of at least three letters is given."""

    message_key = "home_visits.error.reason"
    field = "reason"


class ResultNeeded(BusinessError):
    """What came of the visit is written down."""

    message_key = "home_visits.error.result"
    field = "result_note"
