"""Refusals of the register of persons."""

from __future__ import annotations

from collections.abc import Sequence

from kmis import iin
from operational.kit.errors import BusinessError, Conflict, NotFound


class PatientNotFound(NotFound):
    """No such person in the user's scope."""

    message_key = "patients.error.not_found"


class IinRefused(BusinessError):
    """The typed number is not an IIN."""

    field = "iin"


class IinNotTwelveDigits(IinRefused):
    """Something other than twelve digits."""

    message_key = "iin.error.twelve_digits"


class IinCheckDigitWrong(IinRefused):
    """The check digit contradicts the other digits."""

    message_key = "iin.error.check_digit"


class IinNotAssignable(IinRefused):
    """A number that is never issued."""

    message_key = "iin.error.not_assignable"


_OF_IIN: dict[type[iin.IinError], type[IinRefused]] = {
    iin.IinNotTwelveDigits: IinNotTwelveDigits,
    iin.IinCheckDigitWrong: IinCheckDigitWrong,
    iin.IinNotAssignable: IinNotAssignable,
}


def refusal_of(error: iin.IinError) -> IinRefused:
    """The refusal shown at the field for what ``kmis.iin`` found."""
    return _OF_IIN.get(type(error), IinNotTwelveDigits)()


class IinRequired(BusinessError):
    """A citizen is registered by the IIN."""

    message_key = "patients.error.iin_required"
    field = "iin"


class IinMismatchUnconfirmed(BusinessError):
    """The IIN says another birth date or sex; the registrar has not confirmed with a reason."""

    message_key = "patients.error.iin_mismatch"
    field = "iin_mismatch_reason"

    def __init__(self, facts: Sequence[iin.Disagreement]) -> None:
        super().__init__()
        self.facts = tuple(facts)


class PatientExists(Conflict):
    """A record with this IIN stands in the region's register already."""

    message_key = "patients.error.exists"
    field = "iin"

    def __init__(self, patient_id: int | None = None) -> None:
        super().__init__()
        self.patient_id = patient_id


class PossibleDuplicates(Conflict):
    """The register has people of this name and birth date; the registrar has not said that they differ."""

    message_key = "patients.error.duplicates"
    field = "confirm_not_duplicate"

    def __init__(self, patient_ids: Sequence[int]) -> None:
        super().__init__()
        self.patient_ids = tuple(patient_ids)


class NewbornExists(Conflict):
    """The mother has a child with this order number and birth date already."""

    message_key = "patients.error.newborn_exists"
    field = "birth_order"


class BirthDateInFuture(BusinessError):
    """Nobody is born tomorrow."""

    message_key = "patients.error.birth_date_future"
    field = "birth_date"


class BirthDateImplausible(BusinessError):
    """Born before 1880."""

    message_key = "patients.error.birth_date_past"
    field = "birth_date"


class DeathDateWrong(BusinessError):
    """Died before birth or in the future."""

    message_key = "patients.error.death_date"
    field = "death_date"


class NameNotLetters(BusinessError):
    """A name holds digits or has no letter."""

    message_key = "patients.error.name_letters"


class PhoneWrong(BusinessError):
    """Not ten to fifteen digits."""

    message_key = "patients.error.phone"
    field = "phone"


class SexRequired(BusinessError):
    """Sex unknown is for unknown persons and newborns only."""

    message_key = "patients.error.sex"
    field = "sex"


class ReasonRequired(BusinessError):
    """The act is recorded with its reason."""

    message_key = "patients.error.reason"
    field = "reason"


class MergeRefused(Conflict):
    """Two records cannot be made one."""


class SameRecord(MergeRefused):
    """A record cannot be merged with itself."""

    message_key = "patients.error.merge_same"


class AlreadyOnePerson(MergeRefused):
    """The records are one person already, so merging them would close a ring."""

    message_key = "patients.error.merge_cycle"


class AlreadyMerged(MergeRefused):
    """The record is merged into another one; separate it first."""

    message_key = "patients.error.merge_already"


class VoidedRecord(MergeRefused):
    """A record entered in error is not merged."""

    message_key = "patients.error.merge_voided"


class MergeUnconfirmed(BusinessError):
    """The user has not said that the records were compared."""

    message_key = "patients.error.merge_unconfirmed"
    field = "confirmed"


class NotMerged(Conflict):
    """There is nothing to separate."""

    message_key = "patients.error.not_merged"


class MergedRecordFixed(Conflict):
    """A record that was merged is not edited; its survivor is."""

    message_key = "patients.error.merged_fixed"


class AttachmentPeriod(BusinessError):
    """The attachment would overlap another one or begin in the future."""

    message_key = "patients.error.attachment_period"
    field = "valid_from"


class SiteUnknown(BusinessError):
    """No such site in the user's organisations on that day."""

    message_key = "patients.error.site"
    field = "site_id"
