"""Refusals of visits, diagnoses, services and referrals."""

from __future__ import annotations

from operational.kit.errors import BusinessError, Conflict, NotFound


class VisitSigned(Conflict):
    """A signed visit changes only through a correction with a reason."""

    message_key = "visits.error.signed"


class VisitVoided(Conflict):
    """A visit entered in error changes no more."""

    message_key = "visits.error.voided"


class VisitNotSigned(Conflict):
    """Only a signed visit is corrected."""

    message_key = "visits.error.not_signed"


class NotTheAuthor(BusinessError):
    """Only the doctor who leads the visit writes and signs it."""

    message_key = "visits.error.not_author"
    status = 403


class NoDoctorRole(BusinessError):
    """The user has no position as a practitioner in this organisation on this day."""

    message_key = "visits.error.no_role"


class VisitOutsideOrganisation(BusinessError):
    """The practitioner's position belongs to another organisation."""

    message_key = "visits.error.outside_organisation"
    field = "practitioner_role_id"


class AppointmentHasVisit(Conflict):
    """The booking already led to a visit."""

    message_key = "visits.error.appointment_used"


class VisitInFuture(BusinessError):
    """A visit cannot begin in the future."""

    message_key = "visits.error.future"
    field = "started_at"


class VisitBeforeBirth(BusinessError):
    """A visit cannot be before the patient's birth or after the death."""

    message_key = "visits.error.outside_life"
    field = "started_at"


class EndsBeforeStart(BusinessError):
    """A visit ends after it begins."""

    message_key = "visits.error.times"
    field = "ended_at"


class NoMainDiagnosis(BusinessError):
    """A visit is signed with one main diagnosis."""

    message_key = "visits.error.no_main_diagnosis"
    field = "icd10_code"


class NoOutcome(BusinessError):
    """A visit is signed with its outcome."""

    message_key = "visits.error.no_outcome"
    field = "outcome"


class UnknownIcd10(BusinessError):
    """The code is not in the directory, or is a heading that is not coded with."""

    message_key = "visits.error.unknown_icd10"
    field = "icd10_code"


class DiagnosisTwice(Conflict):
    """The visit has this diagnosis already."""

    message_key = "visits.error.diagnosis_twice"
    field = "icd10_code"


class SecondMainDiagnosis(Conflict):
    """The visit has a main diagnosis already."""

    message_key = "visits.error.second_main"
    field = "rank"


class UnknownService(BusinessError):
    """The service is not in the directory on this day."""

    message_key = "visits.error.unknown_service"
    field = "service_code"


class ReferralToNowhere(BusinessError):
    """A referral names a service or a specialty."""

    message_key = "visits.error.referral_target"
    field = "service_code"


class ReferralTargetUnknown(NotFound):
    """The organisation that the patient is referred to is not known."""

    field = "target_organisation_id"


class ReferralExpired(BusinessError):
    """A referral is valid at least to the day on which it is made."""

    message_key = "visits.error.valid_until"
    field = "valid_until"


class UnknownCode(BusinessError):
    """A chosen value does not stand in its directory."""

    message_key = "visits.error.unknown_code"


class ReasonNeeded(BusinessError):
    """A correction or a void needs a reason of at least three letters."""

    message_key = "visits.error.reason"
    field = "reason"
