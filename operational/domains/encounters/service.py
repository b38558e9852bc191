"""What happens to a visit: begun, written, coded, signed, corrected, voided."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.clock import Clock, local_date
from operational.domains.encounters import errors, repository, signing
from operational.domains.encounters.models import (
    Condition,
    Encounter,
    Procedure,
    ServiceRequest,
    SignedDocument,
)
from operational.domains.encounters.schemas import (
    AddCondition,
    AddProcedure,
    AddReferral,
    StartVisit,
    VisitText,
)
from operational.events.encounters import VisitSigned, VisitVoided
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.db import give_reason
from operational.kit.errors import NotFound, constraint_of
from operational.kit.events import announce

# A visit to the same specialty within this time is a repeat one (from general knowledge, verify).
REPEAT_WITHIN = timedelta(days=30)
# The directory that a field's value is chosen from.
DIRECTORIES = {
    "visit_reason": "visit_reason",
    "financing_source": "financing_source",
    "insurance_status": "insurance_status",
    "outcome": "encounter_outcome",
    "injury_type": "injury_type",
    "kind": "referral_kind",
    "specialty_code": "specialty",
}
REFUSALS = {
    "fk_encounter_role": errors.VisitOutsideOrganisation,
    "fk_encounter_department": errors.VisitOutsideOrganisation,
    "uq_encounter_appointment": errors.AppointmentHasVisit,
    "uq_condition_main": errors.SecondMainDiagnosis,
    "uq_condition_code": errors.DiagnosisTwice,
    "ck_encounter_times": errors.EndsBeforeStart,
    "fk_service_request_target_organisation_id": errors.ReferralTargetUnknown,
}


class Visits:
    """The use cases of a visit for one session."""

    def __init__(self, session: Session, clock: Clock, zone: ZoneInfo) -> None:
        self.session = session
        self.clock = clock
        self.zone = zone

    def start(self, wanted: StartVisit) -> Encounter:
        """Begin a visit. Raises a BusinessError that names the field."""
        scope = scope_of(self.session)
        now = self.clock.now()
        started = wanted.started_at or now
        if started.tzinfo is None:
            started = started.replace(tzinfo=self.zone)
        if started > now + timedelta(minutes=5):
            raise errors.VisitInFuture()
        patient = repository.patient(self.session, wanted.patient_id)
        if patient is None or patient.voided_at is not None:
            raise NotFound("patient_id")
        day = local_date(started, self.zone)
        if (patient.birth_date and day < patient.birth_date) or (patient.death_date and day > patient.death_date):
            raise errors.VisitBeforeBirth()
        appointment = None
        if wanted.appointment_id is not None:
            appointment = repository.appointment(self.session, wanted.appointment_id, lock=True)
            if appointment is None or appointment.patient_id != patient.id or appointment.status == "cancelled":
                raise NotFound("appointment_id")
        if wanted.practitioner_role_id is not None:
            role = repository.role(self.session, wanted.practitioner_role_id)
        elif appointment is not None and appointment.practitioner_id == scope.practitioner_id:
            role = repository.role(self.session, appointment.practitioner_role_id)
        elif scope.practitioner_id is not None:
            role = repository.role_on(self.session, scope.practitioner_id, scope.organisation_ids, day)
        else:
            role = None
        if role is None:
            raise errors.NoDoctorRole("practitioner_role_id")
        if role.organisation_id not in scope.organisation_ids:
            raise errors.VisitOutsideOrganisation()
        if role.valid_from > day or (role.valid_to is not None and role.valid_to <= day):
            raise errors.NoDoctorRole("practitioner_role_id")
        if role.practitioner_id != scope.practitioner_id and not scope.may("encounters.write_any"):
            raise errors.NotTheAuthor()
        if appointment is not None and appointment.owner_organisation_id != role.organisation_id:
            raise NotFound("appointment_id")
        self._known(visit_reason=wanted.visit_reason, financing_source=wanted.financing_source)
        since = local_date(started - REPEAT_WITHIN, self.zone)
        repeat = repository.had_visit_before(self.session, patient.id, role.specialty_code, since, started)
        visit = Encounter(
            owner_organisation_id=role.organisation_id,
            patient_id=patient.id,
            appointment_id=wanted.appointment_id,
            practitioner_id=role.practitioner_id,
            practitioner_role_id=role.id,
            department_id=role.department_id,
            place=wanted.place,
            visit_reason=wanted.visit_reason,
            visit_kind=wanted.visit_kind or ("repeat" if repeat else "primary"),
            financing_source=wanted.financing_source,
            started_at=started,
        )
        self._add(visit)
        if appointment is not None and appointment.status in ("booked", "noshow"):
            appointment.status = "arrived"
            appointment.arrived_at = now
        audit(self.session, "visit.started", object_table="encounter", object_id=visit.id)
        return visit

    def get(self, key: int) -> Encounter:
        """A visit in the user's scope. Raises NotFound."""
        visit = repository.encounter(self.session, key)
        if visit is None:
            raise NotFound()
        return visit

    def write(self, key: int, text: VisitText) -> Encounter:
        """Save what the doctor wrote."""
        visit = self._writable(key)
        written = text.model_dump(exclude_unset=True)
        self._known(**{name: written[name] for name in DIRECTORIES.keys() & written.keys()})
        for name, value in written.items():
            if value is not None:
                setattr(visit, name, value)
        self.session.flush()
        return visit

    def add_condition(self, key: int, wanted: AddCondition) -> Condition:
        """Add a diagnosis; one main diagnosis, no code twice."""
        visit = self._writable(key)
        if repository.icd10(self.session, wanted.icd10_code) is None:
            raise errors.UnknownIcd10()
        self._known(injury_type=wanted.injury_type)
        row = Condition(**self._part_of(visit), **wanted.model_dump(), recorded_at=self.clock.now())
        self._add(row)
        return row

    def remove_condition(self, key: int, part: int, *, restore: bool = False) -> Condition:
        """Take a diagnosis back, or restore it."""
        self._writable(key)
        row = repository.condition(self.session, key, part)
        if row is None:
            raise NotFound()
        self._void_part(row, restore)
        return row

    def add_procedure(self, key: int, wanted: AddProcedure) -> Procedure:
        """Add a performed service with the tariff of the visit's day."""
        visit = self._writable(key)
        found = repository.service(self.session, wanted.service_code, local_date(visit.started_at, self.zone))
        if found is None:
            raise errors.UnknownService()
        row = Procedure(
            **self._part_of(visit), service_code=wanted.service_code, quantity=wanted.quantity,
            tariff_kzt=found[1], performer_id=visit.practitioner_id, financing_source=visit.financing_source,
            performed_at=max(visit.started_at, min(self.clock.now(), visit.ended_at or self.clock.now())),
        )  # fmt: skip
        self._add(row)
        return row

    def remove_procedure(self, key: int, part: int, *, restore: bool = False) -> Procedure:
        """Take a service back, or restore it."""
        self._writable(key)
        row = repository.procedure(self.session, key, part)
        if row is None:
            raise NotFound()
        self._void_part(row, restore)
        return row

    def add_referral(self, key: int, wanted: AddReferral) -> ServiceRequest:
        """Refer the patient; the referral gets a number."""
        visit = self._writable(key)
        now = self.clock.now()
        if wanted.service_code is None and wanted.specialty_code is None:
            raise errors.ReferralToNowhere()
        self._known(kind=wanted.kind, specialty_code=wanted.specialty_code)
        if wanted.valid_until is not None and wanted.valid_until < local_date(now, self.zone):
            raise errors.ReferralExpired()
        if (
            wanted.service_code
            and repository.service(self.session, wanted.service_code, local_date(now, self.zone)) is None
        ):
            raise errors.UnknownService()
        main = next(
            (row.icd10_code for row, _ in repository.conditions(self.session, key) if row.rank == "main"),
            None,
        )
        row = ServiceRequest(**self._part_of(visit), **wanted.model_dump(), icd10_code=main, requested_at=now)
        self._add(row)
        return row

    def revoke_referral(self, key: int, part: int, reason: str) -> ServiceRequest:
        """Revoke a referral that is still active, with a reason."""
        self.get(key)
        row = repository.referral(self.session, key, part)
        if row is None or row.status != "active":
            raise NotFound()
        if len(reason.strip()) < 3:
            raise errors.ReasonNeeded()
        row.status, row.revoked_at, row.revoke_reason = "revoked", self.clock.now(), reason
        self.session.flush()
        return row

    def sign(self, key: int) -> SignedDocument:
        """Finish and sign: from here the visit counts. Needs one main diagnosis and an outcome."""
        visit = self._writable(key)
        scope = scope_of(self.session)
        diagnoses = repository.conditions(self.session, key)
        if not any(row.rank == "main" for row, _ in diagnoses):
            raise errors.NoMainDiagnosis()
        if visit.outcome is None:
            raise errors.NoOutcome()
        now = self.clock.now()
        visit.status = "finished"
        visit.ended_at = visit.ended_at or max(now, visit.started_at)
        visit.signed_at, visit.signed_by = now, scope.user_id
        if visit.appointment_id is not None:
            appointment = repository.appointment(self.session, visit.appointment_id, lock=True)
            if appointment is not None and appointment.status != "cancelled":
                appointment.status = "fulfilled"
        self.session.flush()
        document = signing.sign(self.session, visit, now)
        draft = repository.draft(self.session, scope.user_id or 0, "visit", str(key))
        if draft is not None:
            self.session.delete(draft)
        audit(self.session, "visit.signed", object_table="encounter", object_id=key)
        told = VisitSigned(visit.id, visit.patient_id, visit.owner_organisation_id)
        announce(self.session, told, self.clock, self.zone)
        return document

    def reopen(self, key: int, reason: str) -> Encounter:
        """Correct a signed visit: it becomes writable as a new version; what was signed stays as it was."""
        visit = self._locked(key)
        if visit.signed_at is None:
            raise errors.VisitNotSigned()
        self._reason(reason)
        visit.signed_at = visit.signed_by = None
        visit.version += 1
        self.session.flush()
        audit(self.session, "visit.reopened", object_table="encounter", object_id=key, reason=reason)
        return visit

    def void(self, key: int, reason: str) -> Encounter:
        """Mark a visit as entered in error; it leaves every figure and stays in the card, marked."""
        visit = self._locked(key)
        self._reason(reason)
        visit.status, visit.voided_at, visit.void_reason = "entered_in_error", self.clock.now(), reason
        self.session.flush()
        audit(self.session, "visit.voided", object_table="encounter", object_id=key, reason=reason)
        told = VisitVoided(visit.id, visit.patient_id, visit.owner_organisation_id)
        announce(self.session, told, self.clock, self.zone)
        return visit

    def restore(self, key: int, reason: str) -> Encounter:
        """Take a void back: the visit returns to what it was."""
        visit = repository.encounter(self.session, key, lock=True)
        if visit is None or visit.voided_at is None:
            raise NotFound()
        self._reason(reason)
        visit.status = "finished" if visit.ended_at is not None and visit.outcome is not None else "in_progress"
        visit.voided_at = visit.void_reason = None
        self._flush()
        audit(self.session, "visit.restored", object_table="encounter", object_id=key, reason=reason)
        return visit

    def _known(self, **chosen: str | None) -> None:
        """Each chosen value stands in the directory of its field. Raises UnknownCode at the field."""
        for field, code in chosen.items():
            if code is not None and not repository.coded_exists(self.session, DIRECTORIES[field], code):
                raise errors.UnknownCode(field)

    def _reason(self, reason: str) -> None:
        if len(reason.strip()) < 3:
            raise errors.ReasonNeeded()
        give_reason(self.session, reason.strip())

    def _locked(self, key: int) -> Encounter:
        visit = repository.encounter(self.session, key, lock=True)
        if visit is None:
            raise NotFound()
        if visit.voided_at is not None:
            raise errors.VisitVoided()
        scope = scope_of(self.session)
        if visit.practitioner_id != scope.practitioner_id and not scope.may("encounters.write_any"):
            raise errors.NotTheAuthor()
        return visit

    def _writable(self, key: int) -> Encounter:
        visit = self._locked(key)
        if visit.signed_at is not None:
            raise errors.VisitSigned()
        return visit

    @staticmethod
    def _part_of(visit: Encounter) -> dict[str, Any]:
        return {
            "encounter_id": visit.id,
            "patient_id": visit.patient_id,
            "owner_organisation_id": visit.owner_organisation_id,
        }

    def _void_part(self, row: Condition | Procedure, restore: bool) -> None:
        row.voided_at, row.void_reason = (None, None) if restore else (self.clock.now(), "removed_before_signing")
        self._flush()

    def _add(self, row: Encounter | Condition | Procedure | ServiceRequest) -> None:
        self.session.add(row)
        self._flush()

    def _flush(self) -> None:
        try:
            self.session.flush()
        except IntegrityError as error:
            refusal = REFUSALS.get(constraint_of(error))
            if refusal is None:
                raise
            raise refusal() from None
