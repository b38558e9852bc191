"""The admission department: presented, sorted, seen, decided; each decision can be taken back with a reason."""

from __future__ import annotations

from datetime import datetime

from kmis.clock import local_date
from operational.domains.inpatient import errors, repository, triage
from operational.domains.inpatient.desk import Desk
from operational.domains.inpatient.models import HospitalPresentation, HospitalStay, StayDiagnosis, WardMovement
from operational.domains.inpatient.schemas import (
    Admit,
    DeathPart,
    Decide,
    DecideDeath,
    Present,
    Seen,
    Triage,
    UnknownPerson,
    Vitals,
)
from operational.domains.patients import dying
from operational.domains.patients import service as patients
from operational.domains.patients.models import Patient
from operational.domains.patients.schemas import Registration
from operational.domains.patients.schemas_death import RegisterDeath
from operational.events.inpatient import StayChanged, StayWithdrawn
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.errors import Forbidden, NotFound, Required

MEASURED = tuple(Vitals.model_fields)
DAY_HOSPITAL = "day_hospital"
# Decisions of the form Decide, and what each needs.
SIMPLE_DECISIONS = ("refused", "transferred", "left")


class Admission(Desk):
    """The use cases of the admission department for one session."""

    def register_unknown(self, wanted: UnknownPerson) -> Patient:
        """A record for a person who cannot say who they are; it is corrected or merged when they can."""
        if not scope_of(self.session).may("patients.register"):
            raise Forbidden
        form = Registration(identity_kind="unknown", sex=wanted.sex, address=wanted.looks)
        return patients.register(self.session, form, self.today())

    def present(self, wanted: Present) -> HospitalPresentation:
        """A person comes or is brought. Raises a refusal that names the field."""
        department = self.department(wanted.department_id)
        patient = self.patient(wanted.patient_id)
        self.known("arrival_channel", "arrival_channel", wanted.arrival_channel)
        arrived = self.moment(wanted.arrived_at, "arrived_at")
        if patient.death_date is not None and local_date(arrived, self.zone) > patient.death_date:
            raise errors.PatientDied("arrived_at")
        if wanted.icd10_code:
            self.icd10(wanted.icd10_code)
        _check_pressure(wanted)
        row = HospitalPresentation(
            owner_organisation_id=department.organisation_id,
            **wanted.model_dump(exclude={"arrived_at", "triage_zone"}), arrived_at=arrived,
            triage_zone=wanted.triage_zone or triage.proposed(wanted),
        )  # fmt: skip
        self.add(row)
        audit(self.session, "presentation.registered", object_table="hospital_presentation", object_id=row.id)
        return row

    def sort(self, key: int, wanted: Triage) -> HospitalPresentation:
        """Measure again, choose the zone again."""
        row = self._waiting(key)
        _check_pressure(wanted)
        for name in MEASURED:
            setattr(row, name, getattr(wanted, name))
        row.complaint = wanted.complaint
        row.triage_zone = wanted.triage_zone or triage.proposed(wanted)
        self.flush()
        return row

    def see(self, key: int, wanted: Seen) -> HospitalPresentation:
        """A doctor sees the patient: the end of the waiting."""
        row = self._waiting(key)
        seen = self.moment(wanted.seen_at, "seen_at")
        if seen < row.arrived_at:
            raise errors.SeenBeforeArrival()
        row.seen_at, row.practitioner_id = seen, self.own_practitioner()
        if wanted.icd10_code:
            row.icd10_code = self.icd10(wanted.icd10_code)
        self.flush()
        return row

    def admit(self, key: int, wanted: Admit) -> HospitalStay:
        """Admit: the stay, its admission diagnosis and its first bed, in one transaction."""
        row = self._waiting(key)
        department = self.department(wanted.department_id)
        if department.organisation_id != row.owner_organisation_id:
            raise errors.DepartmentElsewhere()
        admitted = self._decided(row, wanted.admitted_at, "admitted_at")
        self.doctor(wanted.practitioner_id, row.owner_organisation_id, admitted)
        self.icd10(wanted.icd10_code)
        self.known("bed_profile", "bed_profile", wanted.bed_profile)
        self.known("financing_source", "financing_source", wanted.financing_source)
        beds = repository.bed_stock(self.session, department.id, wanted.bed_profile, local_date(admitted, self.zone))
        kind = beds.hospital_kind if beds else "day" if department.kind == DAY_HOSPITAL else "round_the_clock"
        row.decision, row.decided_at, row.icd10_code = "admitted", admitted, wanted.icd10_code
        stay = HospitalStay(
            owner_organisation_id=row.owner_organisation_id, patient_id=row.patient_id, presentation_id=row.id,
            admission_type=row.admission_type, hospital_kind=kind, arrival_channel=row.arrival_channel,
            referring_organisation_id=row.referring_organisation_id, financing_source=wanted.financing_source,
            practitioner_id=wanted.practitioner_id, condition=wanted.condition, admitted_at=admitted,
        )  # fmt: skip
        self.add(stay)
        self.add(
            StayDiagnosis(
                **self.part_of(stay), phase="admission", rank="main", icd10_code=wanted.icd10_code,
                established_at=admitted,
            )
        )  # fmt: skip
        self.add(
            WardMovement(
                **self.part_of(stay), department_id=department.id, bed_profile=wanted.bed_profile, ward=wanted.ward,
                bed=wanted.bed, started_at=admitted,
            )
        )  # fmt: skip
        audit(self.session, "stay.admitted", object_table="hospital_stay", object_id=stay.id)
        self.tell(StayChanged, stay)
        return stay

    def decide(self, key: int, decision: str, wanted: Decide) -> HospitalPresentation:
        """Refuse, transfer to another organisation, or note that the person left."""
        if decision not in SIMPLE_DECISIONS:
            raise NotFound
        row = self._waiting(key)
        if decision == "refused":
            if wanted.refusal_reason is None:
                raise errors.RefusalReasonNeeded()
            self.known("refusal_reason", "refusal_reason", wanted.refusal_reason)
            row.refusal_reason = wanted.refusal_reason
        if decision == "transferred":
            row.target_organisation_id = self.target(wanted.target_organisation_id, row.owner_organisation_id)
        self._close(row, decision, wanted)
        return row

    def died(self, key: int, wanted: DecideDeath) -> HospitalPresentation:
        """The person died in the admission department: the death is registered in the same transaction."""
        row = self._waiting(key)
        decided = self._close(row, "died", wanted)
        self.register_death(row.patient_id, row.owner_organisation_id, decided, wanted)
        return row

    def register_death(self, patient_id: int, organisation_id: int, at: datetime, wanted: DeathPart) -> None:
        """Register a death in hospital. Raises what the register of deaths refuses."""
        if not scope_of(self.session).may("deaths.register"):
            raise Forbidden
        if not wanted.underlying_icd10:
            raise Required("underlying_icd10")
        facts = RegisterDeath(
            patient_id=patient_id, died_at=at, place="hospital", hospital_organisation_id=organisation_id,
            underlying_icd10=wanted.underlying_icd10, immediate_icd10=wanted.immediate_icd10,
            certificate_number=wanted.certificate_number, autopsy_flag=wanted.autopsy_flag, maternal=wanted.maternal,
        )  # fmt: skip
        dying.register_death(self.session, self.clock, self.zone, facts, organisation_id=organisation_id)

    def target(self, key: int | None, own: int) -> int:
        """The organisation that a patient is transferred to. Raises TargetNeeded, TargetIsSelf."""
        if key is None or repository.organisation_name(self.session, key, self.today()) is None:
            raise errors.TargetNeeded()
        if key == own:
            raise errors.TargetIsSelf()
        return key

    def take_back(self, key: int, reason: str) -> HospitalPresentation:
        """Take the decision back: the person waits again; an admission is voided when nothing was done yet."""
        row = self._locked(key)
        if row.decision == "waiting":
            raise errors.NotDecided()
        reason = self.reason(reason)
        if row.decision == "admitted":
            self._withdraw_stay(row, reason)
        died = row.decision == "died"
        row.decision, row.decided_at = "waiting", None
        row.refusal_reason = row.target_organisation_id = row.note = None
        self.flush()
        if died:
            self.withdraw_death(row.patient_id, row.owner_organisation_id, reason)
        audit(self.session, "presentation.reopened", object_table="hospital_presentation", object_id=key, reason=reason)
        return row

    def void(self, key: int, reason: str) -> HospitalPresentation:
        """Mark a presentation as entered in error."""
        row = self._locked(key)
        if repository.stay_of_presentation(self.session, key) is not None:
            raise errors.PresentationHasStay()
        reason = self.reason(reason)
        row.voided_at, row.void_reason = self.clock.now(), reason
        self.flush()
        if row.decision == "died":
            self.withdraw_death(row.patient_id, row.owner_organisation_id, reason)
        audit(self.session, "presentation.voided", object_table="hospital_presentation", object_id=key, reason=reason)
        return row

    def restore(self, key: int, reason: str) -> HospitalPresentation:
        """Take a void back."""
        row = repository.presentation(self.session, key, lock=True)
        if row is None or row.voided_at is None:
            raise NotFound
        reason = self.reason(reason)
        row.voided_at = row.void_reason = None
        if row.decision == "died":
            row.decision, row.decided_at = "waiting", None
        self.flush()
        audit(self.session, "presentation.restored", object_table="hospital_presentation", object_id=key, reason=reason)
        return row

    def _withdraw_stay(self, row: HospitalPresentation, reason: str) -> None:
        stay = repository.stay_of_presentation(self.session, row.id)
        if stay is None:
            return
        if repository.has_parts(self.session, stay.id):
            raise errors.StayHasParts()
        for part in repository.parts(self.session, stay.id):
            part.voided_at, part.void_reason = self.clock.now(), reason
        self.flush()
        stay.voided_at, stay.void_reason = self.clock.now(), reason
        self.flush()
        audit(self.session, "stay.voided", object_table="hospital_stay", object_id=stay.id, reason=reason)
        self.tell(StayWithdrawn, stay)

    def withdraw_death(self, patient_id: int, organisation_id: int, reason: str) -> None:
        """Void the death that was registered in this hospital, whatever its time was corrected to."""
        death = dying.death_of_person(self.session, patient_id)
        if death is not None and death.hospital_organisation_id == organisation_id:
            dying.void_death(self.session, self.clock, self.zone, death.id, reason)

    def _close(self, row: HospitalPresentation, decision: str, wanted: Decide) -> datetime:
        decided = self._decided(row, wanted.decided_at, "decided_at")
        if wanted.icd10_code:
            row.icd10_code = self.icd10(wanted.icd10_code)
        row.decision, row.decided_at, row.note = decision, decided, wanted.note
        row.practitioner_id = row.practitioner_id or self.own_practitioner()
        self.flush()
        audit(self.session, f"presentation.{decision}", object_table="hospital_presentation", object_id=row.id)
        return decided

    def _decided(self, row: HospitalPresentation, at: datetime | None, field: str) -> datetime:
        decided = self.moment(at, field)
        if decided < row.arrived_at:
            raise errors.DecisionBeforeArrival(field)
        return decided

    def _locked(self, key: int) -> HospitalPresentation:
        row = repository.presentation(self.session, key, lock=True)
        if row is None:
            raise NotFound
        if row.voided_at is not None:
            raise errors.PresentationVoided()
        return row

    def _waiting(self, key: int) -> HospitalPresentation:
        row = self._locked(key)
        if row.decision != "waiting":
            raise errors.DecisionTaken()
        return row


def _check_pressure(values: Vitals) -> None:
    if (values.systolic is None) != (values.diastolic is None):
        raise errors.PressureOrder("systolic" if values.systolic is None else "diastolic")
    if values.systolic is not None and values.diastolic is not None and values.systolic < values.diastolic:
        raise errors.PressureOrder()
