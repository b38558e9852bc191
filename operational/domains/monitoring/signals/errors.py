"""Refusals of signal cases."""

from __future__ import annotations

from operational.kit.errors import BusinessError, Conflict


class CaseClosed(Conflict):
    """A closed case is opened again, with a reason, before anything else is done to it."""

    message_key = "signals.error.closed"


class CaseOpen(Conflict):
    """Only a closed case is opened again."""

    message_key = "signals.error.open"


class NotYourCase(BusinessError):
    """Somebody else answers for the case: it is taken first."""

    message_key = "signals.error.not_yours"
    status = 403


class NotOnTheStaff(BusinessError):
    """The person does not work in the organisation that answers for the case."""

    message_key = "signals.error.not_staff"
    field = "practitioner_id"


class OutcomeUnknown(BusinessError):
    """The outcome is not one that a person chooses."""

    message_key = "signals.error.outcome"
    field = "outcome"


class ReasonNeeded(BusinessError):
    """The act needs a reason of three letters at least."""

    message_key = "signals.error.reason"
    field = "reason"


class NoteNeeded(BusinessError):
    """Nothing was written."""

    message_key = "signals.error.note"
    field = "note"


class VisitBeforeEvent(BusinessError):
    """The visit lies before the event that the case is about."""

    message_key = "signals.error.visit_before"
    field = "at"


class VisitInFuture(BusinessError):
    """The visit lies in the future."""

    message_key = "signals.error.visit_future"
    field = "at"


class NobodyToVisit(BusinessError):
    """The case is about a death: nobody can be visited."""

    message_key = "signals.error.nobody_to_visit"


class RuleUnknown(BusinessError):
    """There is no such rule in force on the day of the event."""

    message_key = "signals.error.rule"
    field = "rule_code"


class ReasonUnknown(BusinessError):
    """The rule knows no such reason."""

    message_key = "signals.error.reason_code"
    field = "reasons"


class DiagnosisUnknown(BusinessError):
    """The code is not in the directory of diagnoses."""

    message_key = "signals.error.icd10"
    field = "icd10_code"


class SubjectOfAnother(BusinessError):
    """The subject is not the person's, or outside the user's scope."""

    message_key = "signals.error.subject"
    field = "subject_id"
