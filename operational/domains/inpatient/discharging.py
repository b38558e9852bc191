"""The end of a stay: discharge with a signed epicrisis, transfer, death; its correction and its taking back."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from operational.domains.inpatient import errors, repository
from operational.domains.inpatient.admission import Admission
from operational.domains.inpatient.models import HospitalStay, StayDiagnosis
from operational.domains.inpatient.schemas import Discharge
from operational.domains.inpatient.stays import Stays
from operational.events.inpatient import StayChanged, StayDischarged, StayWithdrawn
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.errors import NotFound

SIGNED = ("outcome", "treatment_result", "target_organisation_id", "epicrisis", "recommendations", "version")


class Discharging(Stays):
    """The use cases that end a stay or open it again."""

    def discharge(self, key: int, wanted: Discharge) -> HospitalStay:
        """End the stay and sign it. Raises a refusal that names the field."""
        return self._end(key, wanted)

    def correct(self, key: int, wanted: Discharge, reason: str) -> HospitalStay:
        """Correct what a signed discharge says: a new signed version, with the reason."""
        stay = self.locked(key)
        if stay.discharged_at is None:
            raise errors.StayOpen()
        reason = self.reason(reason)
        self._reopen(stay, reason)
        return self._end(key, wanted)

    def take_back(self, key: int, reason: str) -> HospitalStay:
        """Take the discharge back: the patient lies where they lay; a death registered with it is voided."""
        stay = self.locked(key)
        if stay.discharged_at is None:
            raise errors.StayOpen()
        reason = self.reason(reason)
        self._reopen(stay, reason)
        audit(self.session, "stay.discharge_taken_back", object_table="hospital_stay", object_id=key, reason=reason)
        self.tell(StayWithdrawn, stay)
        return stay

    def void(self, key: int, reason: str) -> HospitalStay:
        """Mark the whole stay as entered in error, with its parts; a death first has its discharge taken back."""
        stay = self.locked(key)
        if stay.outcome == "died":
            raise errors.StayClosed()
        reason = self.reason(reason)
        now = self.clock.now()
        for part in repository.parts(self.session, key):
            part.voided_at, part.void_reason = now, reason
        self.flush()
        stay.voided_at, stay.void_reason = now, reason
        self.flush()
        audit(self.session, "stay.voided", object_table="hospital_stay", object_id=key, reason=reason)
        self.tell(StayWithdrawn, stay)
        return stay

    def restore(self, key: int, reason: str) -> HospitalStay:
        """Take a void back, with the parts that went with it."""
        stay = repository.stay(self.session, key, lock=True)
        if stay is None or stay.voided_at is None:
            raise NotFound
        reason = self.reason(reason)
        gone_at = stay.voided_at
        stay.voided_at = stay.void_reason = None
        self.flush()
        for part in repository.parts(self.session, key, voided_at=gone_at):
            part.voided_at = part.void_reason = None
        self.flush()
        audit(self.session, "stay.restored", object_table="hospital_stay", object_id=key, reason=reason)
        self.tell(StayDischarged if stay.discharged_at else StayChanged, stay)
        return stay

    def _end(self, key: int, wanted: Discharge) -> HospitalStay:
        stay = self.locked(key)
        if stay.discharged_at is not None:
            raise errors.StayClosed()
        ended = self.moment(wanted.discharged_at, "discharged_at")
        if ended < stay.admitted_at:
            raise errors.DischargeBeforeAdmission()
        last = repository.last_event_at(self.session, key)
        if last is not None and ended < last:
            raise errors.DischargeBeforeEvents()
        if (wanted.outcome == "died") != (wanted.treatment_result == "death"):
            raise errors.ResultOfDeath()
        admission = Admission(self.session, self.clock, self.zone)
        if wanted.outcome == "transferred":
            stay.target_organisation_id = admission.target(wanted.target_organisation_id, stay.owner_organisation_id)
        self._set_final(stay, wanted.icd10_code)
        current = repository.current_movement(self.session, key)
        if current is not None:
            current.ended_at = ended
            self.flush()
        stay.discharged_at, stay.outcome, stay.treatment_result = ended, wanted.outcome, wanted.treatment_result
        stay.epicrisis, stay.recommendations = wanted.epicrisis, wanted.recommendations
        stay.signed_at, stay.signed_by = self.clock.now(), scope_of(self.session).user_id
        self.flush()
        if wanted.outcome == "died":
            admission.register_death(stay.patient_id, stay.owner_organisation_id, ended, wanted)
        audit(
            self.session, "stay.discharged", object_table="hospital_stay", object_id=key,
            detail={"version": stay.version, "sha256": digest(stay, wanted.icd10_code)},
        )  # fmt: skip
        self.tell(StayDischarged, stay)
        return stay

    def _reopen(self, stay: HospitalStay, reason: str) -> None:
        died = stay.outcome == "died"
        stay.discharged_at = stay.outcome = stay.treatment_result = stay.target_organisation_id = None
        stay.signed_at = stay.signed_by = None
        stay.version += 1
        self.flush()
        if died:
            admission = Admission(self.session, self.clock, self.zone)
            admission.withdraw_death(stay.patient_id, stay.owner_organisation_id, reason)
        current = repository.current_movement(self.session, stay.id)
        if current is not None:
            if current.bed and repository.bed_taken(self.session, current):
                current.bed = None  # somebody lies there meanwhile; the ward is still right
            current.ended_at = None
            self.flush()

    def _set_final(self, stay: HospitalStay, code: str) -> None:
        """The final main diagnosis; another one that stood there goes."""
        self.icd10(code)
        standing = repository.main_of_phase(self.session, stay.id, "final")
        if standing is not None and standing.icd10_code == code:
            return
        if standing is not None:
            standing.voided_at, standing.void_reason = self.clock.now(), "replaced_at_discharge"
            self.flush()
        self.add(
            StayDiagnosis(
                **self.part_of(stay), phase="final", rank="main", icd10_code=code, established_at=self.clock.now()
            )
        )


def digest(stay: HospitalStay, icd10_code: str) -> str:
    """SHA-256 of what the signature of the discharge stands for, as sorted JSON."""
    content: dict[str, Any] = {name: getattr(stay, name) for name in SIGNED}
    content |= {
        "stay": stay.id, "main": icd10_code, "admitted_at": stay.admitted_at.isoformat(),
        "discharged_at": stay.discharged_at.isoformat() if stay.discharged_at else None,
    }  # fmt: skip
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
