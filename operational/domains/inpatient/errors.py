"""Refusals of presentations, stays and what happens during them."""

from __future__ import annotations

from operational.kit.errors import BusinessError, Conflict


class TimeInFuture(BusinessError):
    """Nothing is written that has not happened yet."""

    message_key = "inpatient.error.future"


class AlreadyWaiting(Conflict):
    """The person waits in this admission department already."""

    message_key = "inpatient.error.waiting"
    field = "patient_id"


class DecisionBeforeArrival(BusinessError):
    """A decision is not before the arrival."""

    message_key = "inpatient.error.decision_before_arrival"
    field = "decided_at"


class SeenBeforeArrival(BusinessError):
    """The doctor does not see the patient before the arrival."""

    message_key = "inpatient.error.seen_before_arrival"
    field = "seen_at"


class DecisionTaken(Conflict):
    """The presentation is decided already."""

    message_key = "inpatient.error.decided"


class NotDecided(Conflict):
    """There is no decision to take back."""

    message_key = "inpatient.error.not_decided"


class PresentationVoided(Conflict):
    """A presentation entered in error changes no more."""

    message_key = "inpatient.error.presentation_voided"


class PresentationHasStay(Conflict):
    """The patient was admitted: take the admission back first."""

    message_key = "inpatient.error.presentation_has_stay"


class RefusalReasonNeeded(BusinessError):
    """A refusal names its reason."""

    message_key = "inpatient.error.refusal_reason"
    field = "refusal_reason"


class TargetNeeded(BusinessError):
    """A transfer names the other organisation."""

    message_key = "inpatient.error.target"
    field = "target_organisation_id"


class TargetIsSelf(BusinessError):
    """A transfer leads to another organisation."""

    message_key = "inpatient.error.target_self"
    field = "target_organisation_id"


class AlreadyInHospital(Conflict):
    """The person lies, or lay at that time, in this or in another hospital."""

    message_key = "inpatient.error.in_hospital"
    field = "admitted_at"


class PatientDied(BusinessError):
    """The person had died before."""

    message_key = "inpatient.error.died"


class DepartmentElsewhere(BusinessError):
    """The department is not of an organisation that the user acts in."""

    message_key = "inpatient.error.department"
    field = "department_id"


class DoctorElsewhere(BusinessError):
    """The doctor holds no position in this organisation on that day."""

    message_key = "inpatient.error.doctor"
    field = "practitioner_id"


class BedTaken(Conflict):
    """Somebody lies in this bed at that time."""

    message_key = "inpatient.error.bed_taken"
    field = "bed"


class MovementOverlaps(Conflict):
    """The patient lay in another bed at that time; a movement follows the one before."""

    message_key = "inpatient.error.movement_overlaps"
    field = "started_at"


class OutsideStay(BusinessError):
    """What happens during a stay lies between admission and discharge."""

    message_key = "inpatient.error.outside_stay"


class EndBeforeStart(BusinessError):
    """An end is not before its start."""

    message_key = "inpatient.error.end_before_start"
    field = "ended_at"


class DischargeBeforeAdmission(BusinessError):
    """A discharge is not before the admission."""

    message_key = "inpatient.error.discharge_before_admission"
    field = "discharged_at"


class DischargeBeforeEvents(BusinessError):
    """Something of the stay happened after the moment given."""

    message_key = "inpatient.error.discharge_before_events"
    field = "discharged_at"


class ResultOfDeath(BusinessError):
    """The outcome and the result of treatment contradict each other about death."""

    message_key = "inpatient.error.result_of_death"
    field = "treatment_result"


class StayClosed(Conflict):
    """A discharged stay changes only after its discharge is taken back."""

    message_key = "inpatient.error.closed"


class StayOpen(Conflict):
    """There is no discharge to take back."""

    message_key = "inpatient.error.open"


class StayVoided(Conflict):
    """A stay entered in error changes no more."""

    message_key = "inpatient.error.voided"


class StayHasParts(Conflict):
    """Something was done during the stay, so the admission is not taken back by the desk."""

    message_key = "inpatient.error.has_parts"


class SecondMainDiagnosis(Conflict):
    """A phase has one main diagnosis."""

    message_key = "inpatient.error.second_main"
    field = "rank"


class DiagnosisTwice(Conflict):
    """The diagnosis stands in this phase already."""

    message_key = "inpatient.error.diagnosis_twice"
    field = "icd10_code"


class UnknownIcd10(BusinessError):
    """ICD-10 has no such code that a diagnosis may be coded with."""

    message_key = "inpatient.error.icd10"
    field = "icd10_code"


class UnknownOperation(BusinessError):
    """The directory has no such operation."""

    message_key = "inpatient.error.operation"
    field = "operation_code"


class UnknownChoice(BusinessError):
    """The directory of the field has no such entry."""

    message_key = "inpatient.error.choice"


class NothingMeasured(BusinessError):
    """A round of measurements holds at least one value."""

    message_key = "inpatient.error.nothing_measured"
    field = "temperature"


class PressureOrder(BusinessError):
    """The upper pressure is not below the lower, and both are given."""

    message_key = "inpatient.error.pressure"
    field = "diastolic"


class ValueImplausible(BusinessError):
    """A measured value that no living person has."""

    message_key = "inpatient.error.value"


class ReactionUnnamed(BusinessError):
    """A reaction to a transfusion is described."""

    message_key = "inpatient.error.reaction"
    field = "reaction_note"


class FirstMovement(Conflict):
    """The first movement goes with the admission; only the latest is taken back."""

    message_key = "inpatient.error.first_movement"


class ReasonNeeded(BusinessError):
    """An act that changes what was recorded needs its reason."""

    message_key = "inpatient.error.reason"
    field = "reason"


class DeathOfInpatient(Conflict):
    """The death of a patient in hospital is registered with the discharge."""

    message_key = "deaths.error.inpatient"
    field = "died_at"


class DeathOfDischarge(Conflict):
    """A death registered with a discharge or a decision is voided by taking that back."""

    message_key = "deaths.error.of_discharge"
    field = "reason"
