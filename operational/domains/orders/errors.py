"""Refusals of orders, results, images and devices. Those of matching stand in ``receiving_errors``."""

from __future__ import annotations

from operational.kit.errors import BusinessError, Conflict, NotFound


class NothingOrdered(BusinessError):
    """A laboratory order names at least one test."""

    message_key = "orders.error.no_tests"
    field = "tests"


class UnknownTest(BusinessError):
    """The test is not in the directory, or is closed."""

    message_key = "orders.error.unknown_test"
    field = "tests"


class ModalityMissing(BusinessError):
    """An order of an imaging study names the kind of machine."""

    message_key = "orders.error.no_modality"
    field = "modality"


class UnknownCode(BusinessError):
    """The value does not stand in its directory."""

    message_key = "orders.error.unknown_code"


class UnknownService(BusinessError):
    """The service is not in the directory."""

    message_key = "orders.error.unknown_service"
    field = "service_code"


class UnknownIcd10(BusinessError):
    """The code is not one that a diagnosis may have."""

    message_key = "orders.error.unknown_icd10"
    field = "icd10_code"


class OrderInFuture(BusinessError):
    """An order is not made in the future."""

    message_key = "orders.error.future"
    field = "ordered_at"


class OrderAfterDeath(BusinessError):
    """Nothing is ordered for a person later than a day after the death."""

    message_key = "orders.error.after_death"
    field = "ordered_at"


class OrderBeforeBirth(BusinessError):
    """Nothing is ordered for a person before the birth."""

    message_key = "orders.error.before_birth"
    field = "ordered_at"


class EncounterOfAnother(BusinessError):
    """The visit is another patient's."""

    message_key = "orders.error.encounter"
    field = "encounter_id"


class DepartmentOfAnother(BusinessError):
    """The department is of another organisation, or closed."""

    message_key = "orders.error.department"
    field = "department_id"


class PerformerUnknown(BusinessError):
    """The organisation that shall perform the order is not known."""

    message_key = "orders.error.performer"
    field = "performing_organisation_id"


class ScheduledInPast(BusinessError):
    """A study is scheduled for a time that is still to come."""

    message_key = "orders.error.scheduled_past"
    field = "scheduled_at"


class StationUnknown(BusinessError):
    """The station is no active device of the performing organisation with this modality."""

    message_key = "orders.error.station"
    field = "station_aet"


class OrderCancelled(Conflict):
    """A cancelled order gets no results."""

    message_key = "orders.error.cancelled"


class OrderHasResults(Conflict):
    """An order with results is not cancelled: void the results first."""

    message_key = "orders.error.has_results"


class OrderNotCancelled(Conflict):
    """Only a cancelled order is restored."""

    message_key = "orders.error.not_cancelled"


class ReasonNeeded(BusinessError):
    """Cancelling, correcting or voiding needs a reason of at least three letters."""

    message_key = "orders.error.reason"
    field = "reason"


class NotThePerformer(BusinessError):
    """Results are written by the organisation that performs the order."""

    message_key = "orders.error.not_performer"
    status = 403


class BadMoment(BusinessError):
    """The time is not readable."""

    message_key = "orders.error.moment"


class CollectedInFuture(BusinessError):
    """A sample is not taken in the future."""

    message_key = "results.error.future"
    field = "collected_at"


class CollectedOutsideLife(BusinessError):
    """A sample is not taken before the birth or after the death, nor before living memory of the order."""

    message_key = "results.error.collected"
    field = "collected_at"


class NoValues(BusinessError):
    """A report holds at least one value."""

    message_key = "results.error.no_values"


class BadNumber(BusinessError):
    """The value is not a number of the form 5,4 or <5,4."""

    message_key = "results.error.number"


class BadValue(BusinessError):
    """The value is not one of those that the test has."""

    message_key = "results.error.value"


class TestNotOrdered(BusinessError):
    """The test is not part of the order."""

    message_key = "results.error.not_ordered"


class TestTwice(Conflict):
    """The test has a value in this order already; correct that one."""

    message_key = "results.error.twice"


class ReportFinal(Conflict):
    """A confirmed report changes by a correction with a reason."""

    message_key = "results.error.final"


class ReportNotFinal(Conflict):
    """Only a confirmed report is corrected."""

    message_key = "results.error.not_final"


class ReportVoided(Conflict):
    """A voided report changes no more."""

    message_key = "results.error.voided"


class NothingChanged(BusinessError):
    """A correction changes at least one value."""

    message_key = "results.error.nothing_changed"


class ImageMissing(NotFound):
    """The file of the image is not on the disk."""

    message_key = "images.error.missing"


class ImageSyntaxUnsupported(BusinessError):
    """The image is compressed in a way that this installation cannot read."""

    message_key = "images.error.syntax"
    status = 415


class ImageUnreadable(BusinessError):
    """The file holds no picture, or a damaged one."""

    message_key = "images.error.unreadable"


class DeviceCodeTaken(Conflict):
    """Another device has this code."""

    message_key = "devices.error.code_taken"
    field = "code"


class DeviceAddressTaken(Conflict):
    """Another device has this address."""

    message_key = "devices.error.address_taken"
    field = "address"


class DeviceAddressBad(BusinessError):
    """An AE title has 1 to 16 characters of ASCII; an HL7 address is application|facility."""

    message_key = "devices.error.address"
    field = "address"


class DeviceKindBad(BusinessError):
    """A modality speaks DICOM and has its kind; an analyser speaks HL7."""

    message_key = "devices.error.kind"
    field = "kind"


class OrganisationOutsideScope(BusinessError):
    """The organisation is not in the user's scope."""

    message_key = "devices.error.organisation"
    field = "organisation_id"


class MappingTaken(Conflict):
    """The device's code is mapped already."""

    message_key = "devices.error.mapping_taken"
    field = "device_code"
