"""What happens during a stay: diagnoses, movements, measurements, operations, transfusions, the condition."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from operational.domains.inpatient import errors, repository
from operational.domains.inpatient.desk import Desk
from operational.domains.inpatient.models import (
    HospitalStay,
    StayDiagnosis,
    StayOperation,
    Transfusion,
    VitalSign,
    WardMovement,
)
from operational.domains.inpatient.repository import Part
from operational.domains.inpatient.schemas import (
    AddDiagnosis,
    Measure,
    Move,
    Operate,
    Transfuse,
)
from operational.events.inpatient import StayChanged, TransfusionGiven, VitalSignsTaken
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.errors import Forbidden, NotFound
from operational.kit.events import announce

Kind = Literal["diagnoses", "movements", "vitals", "operations", "transfusions"]
CONDITIONS = ("satisfactory", "moderate", "severe", "extremely_severe")


class Stays(Desk):
    """The use cases of a stay that is not ended yet."""

    def get(self, key: int) -> HospitalStay:
        """A stay in the user's scope. Raises NotFound."""
        found = repository.stay(self.session, key)
        if found is None:
            raise NotFound
        return found

    def diagnose(self, key: int, wanted: AddDiagnosis) -> StayDiagnosis:
        """Add a diagnosis; one main diagnosis in each phase."""
        stay = self.writable(key)
        row = StayDiagnosis(
            **self.part_of(stay), phase=wanted.phase, rank=wanted.rank, icd10_code=self.icd10(wanted.icd10_code),
            established_at=self._within(stay, wanted.established_at, "established_at"),
        )  # fmt: skip
        self.add(row)
        self.tell(StayChanged, stay)
        return row

    def move(self, key: int, wanted: Move) -> WardMovement:
        """Move the patient: where they lay until then ends at the same moment."""
        stay = self.writable(key)
        department = self.department(wanted.department_id)
        if department.organisation_id != stay.owner_organisation_id:
            raise errors.DepartmentElsewhere()
        self.known("bed_profile", "bed_profile", wanted.bed_profile)
        started = self._within(stay, wanted.started_at, "started_at")
        before = repository.current_movement(self.session, key)
        if before is not None:
            if started < before.started_at:
                raise errors.MovementOverlaps()
            before.ended_at = started
            self.flush()
        row = WardMovement(
            **self.part_of(stay), department_id=department.id, bed_profile=wanted.bed_profile, ward=wanted.ward,
            bed=wanted.bed, started_at=started,
        )  # fmt: skip
        self.add(row)
        audit(self.session, "stay.moved", object_table="hospital_stay", object_id=key)
        self.tell(StayChanged, stay)
        return row

    def measure(self, key: int, wanted: Measure) -> VitalSign:
        """Write a round of measurements."""
        stay = self.writable(key, measuring=True)
        values = wanted.model_dump(exclude={"measured_at"})
        if all(values[name] is None for name in ("temperature", "pulse", "systolic", "respiratory_rate", "spo2")):
            raise errors.NothingMeasured()
        if (wanted.systolic is None) != (wanted.diastolic is None):
            raise errors.PressureOrder("systolic" if wanted.systolic is None else "diastolic")
        row = VitalSign(
            **self.part_of(stay), **values, measured_at=self._within(stay, wanted.measured_at, "measured_at"),
            practitioner_id=self.own_practitioner(),
        )  # fmt: skip
        self.add(row)
        self._tell_part(VitalSignsTaken, row)
        return row

    def operate(self, key: int, wanted: Operate) -> StayOperation:
        """Write an operation."""
        stay = self.writable(key)
        if repository.operation_name(self.session, wanted.operation_code) is None:
            raise errors.UnknownOperation()
        started, ended = self._period(stay, wanted.started_at, wanted.ended_at)
        self.doctor(wanted.surgeon_id, stay.owner_organisation_id, started, "surgeon_id")
        row = StayOperation(
            **self.part_of(stay), **wanted.model_dump(exclude={"started_at", "ended_at"}), started_at=started,
            ended_at=ended,
        )  # fmt: skip
        self.add(row)
        audit(self.session, "stay.operated", object_table="stay_operation", object_id=row.id)
        self.tell(StayChanged, stay)
        return row

    def transfuse(self, key: int, wanted: Transfuse) -> Transfusion:
        """Write a transfusion."""
        stay = self.writable(key)
        started, ended = self._period(stay, wanted.started_at, wanted.ended_at)
        self.doctor(wanted.practitioner_id, stay.owner_organisation_id, started)
        if wanted.reaction_flag and not wanted.reaction_note:
            raise errors.ReactionUnnamed()
        row = Transfusion(
            **self.part_of(stay), **wanted.model_dump(exclude={"started_at", "ended_at"}), started_at=started,
            ended_at=ended,
        )  # fmt: skip
        self.add(row)
        audit(self.session, "stay.transfused", object_table="transfusion", object_id=row.id)
        self._tell_part(TransfusionGiven, row)
        return row

    def set_condition(self, key: int, condition: str) -> HospitalStay:
        """How severe the patient's condition is now."""
        stay = self.writable(key)
        if condition not in CONDITIONS:
            raise errors.UnknownChoice("condition")
        if stay.condition != condition:
            stay.condition = condition
            self.flush()
            self.tell(StayChanged, stay)
        return stay

    def void_part(self, key: int, kind: Kind, part: int, reason: str) -> Part:
        """Mark a part of the stay as entered in error; of movements only the latest."""
        stay = self.writable(key, measuring=kind == "vitals")
        row = self._part(key, kind, part)
        if row.voided_at is not None:
            raise NotFound
        reason = self.reason(reason)
        if isinstance(row, WardMovement):
            self._void_movement(key, row, reason)
        else:
            row.voided_at, row.void_reason = self.clock.now(), reason
            self.flush()
        audit(self.session, f"stay.{kind}.voided", object_table=row.__tablename__, object_id=row.id, reason=reason)
        self._tell_of(stay, row)
        return row

    def restore_part(self, key: int, kind: Kind, part: int) -> Part:
        """Take a void back, for whoever pressed the wrong button; a movement is written anew instead."""
        stay = self.writable(key, measuring=kind == "vitals")
        row = self._part(key, kind, part)
        if row.voided_at is None or isinstance(row, WardMovement):
            raise NotFound
        row.voided_at = row.void_reason = None
        self.flush()
        audit(self.session, f"stay.{kind}.restored", object_table=row.__tablename__, object_id=row.id)
        self._tell_of(stay, row)
        return row

    def locked(self, key: int) -> HospitalStay:
        """The stay, locked. Raises NotFound, StayVoided."""
        stay = repository.stay(self.session, key, lock=True)
        if stay is None:
            raise NotFound
        if stay.voided_at is not None:
            raise errors.StayVoided()
        return stay

    def writable(self, key: int, *, measuring: bool = False) -> HospitalStay:
        """The open stay, for whoever may write it; a nurse may measure. Raises Forbidden, StayClosed."""
        scope = scope_of(self.session)
        if not scope.may("inpatient.write") and not (measuring and scope.may("inpatient.measure")):
            raise Forbidden
        stay = self.locked(key)
        if stay.discharged_at is not None:
            raise errors.StayClosed()
        return stay

    def _within(self, stay: HospitalStay, at: datetime | None, field: str) -> datetime:
        moment = self.moment(at, field)
        if moment < stay.admitted_at:
            raise errors.OutsideStay(field)
        return moment

    def _period(self, stay: HospitalStay, start: datetime, end: datetime | None) -> tuple[datetime, datetime | None]:
        started = self._within(stay, start, "started_at")
        ended = None if end is None else self._within(stay, end, "ended_at")
        if ended is not None and ended < started:
            raise errors.EndBeforeStart()
        return started, ended

    def _part(self, key: int, kind: Kind, part: int) -> Part:
        find = {
            "diagnoses": repository.diagnosis, "movements": repository.movement, "vitals": repository.vital_sign,
            "operations": repository.operation, "transfusions": repository.transfusion,
        }[kind]  # fmt: skip
        row: Any = find(self.session, part)
        if row is None or row.stay_id != key:
            raise NotFound
        found: Part = row
        return found

    def _void_movement(self, key: int, row: WardMovement, reason: str) -> None:
        standing = [found.movement for found in repository.movements(self.session, key)]
        if len(standing) < 2 or standing[-1].id != row.id:
            raise errors.FirstMovement()
        row.voided_at, row.void_reason = self.clock.now(), reason
        self.flush()
        before = standing[-2]
        if before.bed and repository.bed_taken(self.session, before):
            before.bed = None  # somebody lies there meanwhile; the ward is still right
        before.ended_at = None
        self.flush()

    def _tell_of(self, stay: HospitalStay, row: Part) -> None:
        if isinstance(row, VitalSign):
            self._tell_part(VitalSignsTaken, row)
        elif isinstance(row, Transfusion):
            self._tell_part(TransfusionGiven, row)
        else:
            self.tell(StayChanged, stay)

    def _tell_part(self, event: type[VitalSignsTaken] | type[TransfusionGiven], row: VitalSign | Transfusion) -> None:
        announce(self.session, event(row.id, row.patient_id, row.owner_organisation_id), self.clock, self.zone)
