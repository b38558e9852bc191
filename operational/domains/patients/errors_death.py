"""Refusals of the registration of deaths."""

from __future__ import annotations

from operational.kit.errors import BusinessError, Conflict


class DeathKnown(Conflict):
    """The death of this person is registered already."""

    message_key = "deaths.error.known"
    field = "died_at"


class DeathVoidedAlready(Conflict):
    """A death entered in error changes no more."""

    message_key = "deaths.error.voided"


class DeathOfAnother(BusinessError):
    """Another organisation registered the death; it corrects and voids it."""

    message_key = "deaths.error.other_organisation"
    status = 403


class DeathInFuture(BusinessError):
    """A death is not in the future."""

    message_key = "deaths.error.future"
    field = "died_at"


class DeathBeforeBirth(BusinessError):
    """A death is not before the birth."""

    message_key = "deaths.error.before_birth"
    field = "died_at"


class DeathBeforeEvent(BusinessError):
    """Something happened to the person after the moment given."""

    message_key = "deaths.error.before_event"
    field = "died_at"


class HospitalNeeded(BusinessError):
    """A death in hospital names the hospital."""

    message_key = "deaths.error.hospital_needed"
    field = "hospital_organisation_id"


class HospitalUnknown(BusinessError):
    """No such organisation in the region."""

    message_key = "deaths.error.hospital_unknown"
    field = "hospital_organisation_id"


class PlaceUnknown(BusinessError):
    """No such place of death."""

    message_key = "deaths.error.place"
    field = "place"


class MaternalUnknown(BusinessError):
    """No such relation to a pregnancy."""

    message_key = "deaths.error.maternal"
    field = "maternal"


class MaternalOfMan(BusinessError):
    """The death of a man has no relation to a pregnancy."""

    message_key = "deaths.error.maternal_of_man"
    field = "maternal"


class CauseUnknown(BusinessError):
    """ICD-10 has no such code that a cause of death may be coded with."""

    message_key = "deaths.error.cause"
    field = "underlying_icd10"


class CertificateTaken(Conflict):
    """The number of the certificate stands at another death."""

    message_key = "deaths.error.certificate"
    field = "certificate_number"
