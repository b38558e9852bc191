"""What the database says when it refuses a row of the hospital, as the rule that it stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from operational.domains.inpatient import errors
from operational.kit.errors import BusinessError, constraint_of

# Constraint → the refusal and the field of the message (None: the refusal's own).
REFUSALS: Mapping[str, tuple[type[BusinessError], str | None]] = {
    "uq_hospital_presentation_waiting": (errors.AlreadyWaiting, None),
    "ck_hospital_presentation_decided_after_arrival": (errors.DecisionBeforeArrival, None),
    "ck_hospital_presentation_seen_after_arrival": (errors.SeenBeforeArrival, None),
    "ck_hospital_presentation_refusal_has_reason": (errors.RefusalReasonNeeded, None),
    "ck_hospital_presentation_transfer_target": (errors.TargetNeeded, None),
    "ck_hospital_presentation_before_death": (errors.PatientDied, "arrived_at"),
    "fk_hospital_presentation_department": (errors.DepartmentElsewhere, None),
    "fk_hospital_presentation_target_organisation_id": (errors.TargetNeeded, None),
    "fk_hospital_presentation_referring_organisation_id": (errors.UnknownChoice, "referring_organisation_id"),
    "uq_hospital_stay_presentation": (errors.DecisionTaken, None),
    "ex_hospital_stay_period": (errors.AlreadyInHospital, None),
    "ck_hospital_stay_times": (errors.DischargeBeforeAdmission, None),
    "ck_hospital_stay_holds_parts": (errors.DischargeBeforeEvents, None),
    "ck_hospital_stay_before_death": (errors.PatientDied, "admitted_at"),
    "ck_hospital_stay_transfer_target": (errors.TargetNeeded, None),
    "fk_hospital_stay_target_organisation_id": (errors.TargetNeeded, None),
    "fk_hospital_stay_practitioner_id": (errors.DoctorElsewhere, None),
    "uq_stay_diagnosis_main": (errors.SecondMainDiagnosis, None),
    "uq_stay_diagnosis_code": (errors.DiagnosisTwice, None),
    "ex_ward_movement_period": (errors.MovementOverlaps, None),
    "ex_ward_movement_bed": (errors.BedTaken, None),
    "ck_ward_movement_times": (errors.MovementOverlaps, None),
    "ck_ward_movement_within_stay": (errors.OutsideStay, "started_at"),
    "ck_ward_movement_before_death": (errors.PatientDied, "started_at"),
    "fk_ward_movement_department": (errors.DepartmentElsewhere, None),
    "ck_vital_sign_within_stay": (errors.OutsideStay, "measured_at"),
    "ck_vital_sign_before_death": (errors.PatientDied, "measured_at"),
    "ck_vital_sign_some_value": (errors.NothingMeasured, None),
    "ck_vital_sign_pressure_order": (errors.PressureOrder, None),
    "ck_vital_sign_pressure": (errors.ValueImplausible, "systolic"),
    "ck_vital_sign_pulse": (errors.ValueImplausible, "pulse"),
    "ck_vital_sign_temperature": (errors.ValueImplausible, "temperature"),
    "ck_vital_sign_spo2": (errors.ValueImplausible, "spo2"),
    "ck_vital_sign_respiratory_rate": (errors.ValueImplausible, "respiratory_rate"),
    "ck_stay_operation_within_stay": (errors.OutsideStay, "started_at"),
    "ck_stay_operation_before_death": (errors.PatientDied, "started_at"),
    "ck_stay_operation_times": (errors.EndBeforeStart, None),
    "ck_transfusion_within_stay": (errors.OutsideStay, "started_at"),
    "ck_transfusion_before_death": (errors.PatientDied, "started_at"),
    "ck_transfusion_times": (errors.EndBeforeStart, None),
    "ck_transfusion_reaction_named": (errors.ReactionUnnamed, None),
}


@contextmanager
def refusals_of_database(session: Session) -> Iterator[None]:
    """Flush what the block changes; a constraint that refuses speaks as the rule it stands for."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        known = REFUSALS.get(constraint_of(error))
        if known is None:
            raise
        refusal, field = known
        raise refusal(field) from None
