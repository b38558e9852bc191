"""The tables that the demonstration fills, in the order in which they are loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from polars import Boolean, Date, Datetime, Int64, String

from operational.demo import schema_care as care
from operational.demo.tables import Table


def _organisation() -> Table:
    return Table("organisation", {"code": String, "kind": String, "bin": String})


def _version() -> Table:
    return Table(
        "organisation_version",
        {"organisation_id": Int64, "parent_id": Int64, "name_kk": String, "name_ru": String, "kato_code": String,
         "perinatal_level": Int64, "valid_from": Date, "valid_to": Date},
    )  # fmt: skip


def _unit(name: str) -> Table:
    columns = {"organisation_id": Int64, "code": String, "kind": String, "name_kk": String, "name_ru": String,
               "valid_from": Date, "valid_to": Date}  # fmt: skip
    return Table("department", columns) if name == "department" else Table("site", columns)


def _practitioner() -> Table:
    return Table(
        "practitioner",
        {"surname": String, "given_name": String, "patronymic": String, "sort_key": String, "active": Boolean},
    )


def _role() -> Table:
    return Table(
        "practitioner_role",
        {"practitioner_id": Int64, "organisation_id": Int64, "department_id": Int64, "specialty_code": String,
         "position_code": String, "valid_from": Date, "valid_to": Date},
    )  # fmt: skip


def _assignment() -> Table:
    return Table(
        "site_assignment",
        {"site_id": Int64, "practitioner_id": Int64, "duty": String, "valid_from": Date, "valid_to": Date},
    )


def _room() -> Table:
    return Table(
        "room",
        {"organisation_id": Int64, "department_id": Int64, "code": String, "name_kk": String, "name_ru": String},
    )


def _user() -> Table:
    return Table(
        "app_user",
        {"login": String, "display_name": String, "password_hash": String, "practitioner_id": Int64,
         "language": String, "created_at": Datetime},
    )  # fmt: skip


def _patient() -> Table:
    return Table(
        "patient",
        {"owner_organisation_id": Int64, "patient_no": Int64, "iin": String, "surname": String,
         "given_name": String, "patronymic": String, "earlier_surnames": String, "name_key": String,
         "sort_key": String, "birth_date": Date, "sex": String, "identity_kind": String, "mother_id": Int64,
         "birth_order": Int64, "document_kind": String, "document_number": String, "citizenship": String,
         "phone": String, "address": String, "residence_kato": String, "urban_flag": Boolean,
         "iin_mismatch_reason": String, "death_date": Date, "merged_into_id": Int64, "created_at": Datetime},
    )  # fmt: skip


def _attachment() -> Table:
    return Table(
        "attachment",
        {"owner_organisation_id": Int64, "patient_id": Int64, "organisation_id": Int64, "site_id": Int64,
         "reason": String, "valid_from": Date, "valid_to": Date},
    )  # fmt: skip


def _merge() -> Table:
    return Table(
        "patient_merge",
        {"owner_organisation_id": Int64, "source_patient_id": Int64, "target_patient_id": Int64, "reason": String,
         "merged_at": Datetime, "merged_by": Int64},
    )  # fmt: skip


def _schedule() -> Table:
    return Table(
        "schedule",
        {"owner_organisation_id": Int64, "practitioner_role_id": Int64, "practitioner_id": Int64,
         "department_id": Int64, "room_id": Int64, "starts_at": Datetime, "ends_at": Datetime,
         "slot_minutes": Int64, "cancelled_at": Datetime, "created_at": Datetime},
    )  # fmt: skip


def _slot() -> Table:
    return Table(
        "slot",
        {"owner_organisation_id": Int64, "schedule_id": Int64, "practitioner_id": Int64, "room_id": Int64,
         "starts_at": Datetime, "ends_at": Datetime, "capacity": Int64, "blocked_at": Datetime,
         "cancelled_at": Datetime},
    )  # fmt: skip


def _appointment() -> Table:
    return Table(
        "appointment",
        {"owner_organisation_id": Int64, "slot_id": Int64, "slot_capacity": Int64, "seat": Int64,
         "patient_id": Int64, "practitioner_id": Int64, "practitioner_role_id": Int64, "department_id": Int64,
         "room_id": Int64, "service_code": String, "booking_channel": String, "financing_source": String,
         "status": String, "starts_at": Datetime, "ends_at": Datetime, "booked_at": Datetime,
         "arrived_at": Datetime, "cancelled_at": Datetime, "cancel_reason": String, "service_request_id": Int64},
    )  # fmt: skip


def _encounter() -> Table:
    return Table(
        "encounter",
        {"owner_organisation_id": Int64, "patient_id": Int64, "appointment_id": Int64, "practitioner_id": Int64,
         "practitioner_role_id": Int64, "department_id": Int64, "place": String, "visit_reason": String,
         "visit_kind": String, "financing_source": String, "insurance_status": String, "status": String,
         "outcome": String, "started_at": Datetime, "ended_at": Datetime, "complaints": String,
         "objective": String, "plan": String, "signed_at": Datetime, "signed_by": Int64, "created_at": Datetime,
         "voided_at": Datetime, "void_reason": String},
    )  # fmt: skip


def _condition() -> Table:
    return Table(
        "condition",
        {"owner_organisation_id": Int64, "encounter_id": Int64, "patient_id": Int64, "icd10_code": String,
         "rank": String, "verification": String, "character": String, "first_in_life_flag": Boolean,
         "injury_type": String, "recorded_at": Datetime, "voided_at": Datetime, "void_reason": String},
    )  # fmt: skip


def _procedure() -> Table:
    return Table(
        "procedure",
        {"owner_organisation_id": Int64, "encounter_id": Int64, "patient_id": Int64, "service_code": String,
         "quantity": Int64, "tariff_kzt": String, "performer_id": Int64, "financing_source": String,
         "performed_at": Datetime, "voided_at": Datetime, "void_reason": String},
    )  # fmt: skip


def _request() -> Table:
    return Table(
        "service_request",
        {"owner_organisation_id": Int64, "encounter_id": Int64, "patient_id": Int64, "number": String,
         "kind": String, "service_code": String, "target_organisation_id": Int64, "specialty_code": String,
         "icd10_code": String, "reason": String, "priority": String, "status": String, "requested_at": Datetime,
         "valid_until": Date, "revoked_at": Datetime, "revoke_reason": String},
    )  # fmt: skip


@dataclass(slots=True)
class Store:
    """All tables of the demonstration; iteration follows the foreign keys."""

    organisation: Table = field(default_factory=_organisation)
    organisation_version: Table = field(default_factory=_version)
    department: Table = field(default_factory=lambda: _unit("department"))
    site: Table = field(default_factory=lambda: _unit("site"))
    practitioner: Table = field(default_factory=_practitioner)
    practitioner_role: Table = field(default_factory=_role)
    site_assignment: Table = field(default_factory=_assignment)
    room: Table = field(default_factory=_room)
    app_user: Table = field(default_factory=_user)
    patient: Table = field(default_factory=_patient)
    attachment: Table = field(default_factory=_attachment)
    patient_merge: Table = field(default_factory=_merge)
    schedule: Table = field(default_factory=_schedule)
    slot: Table = field(default_factory=_slot)
    appointment: Table = field(default_factory=_appointment)
    encounter: Table = field(default_factory=_encounter)
    condition: Table = field(default_factory=_condition)
    procedure: Table = field(default_factory=_procedure)
    service_request: Table = field(default_factory=_request)
    bed_stock: Table = field(default_factory=care.bed_stock)
    device: Table = field(default_factory=care.device)
    device_test_code: Table = field(default_factory=care.device_test_code)
    diagnostic_order: Table = field(default_factory=care.order)
    order_test: Table = field(default_factory=care.order_test)
    device_message: Table = field(default_factory=care.message)
    imaging_study: Table = field(default_factory=care.study)
    imaging_instance: Table = field(default_factory=care.instance)
    diagnostic_report: Table = field(default_factory=care.report)
    lab_result: Table = field(default_factory=care.result)
    hospital_presentation: Table = field(default_factory=care.presentation)
    hospital_stay: Table = field(default_factory=care.stay)
    stay_diagnosis: Table = field(default_factory=care.stay_diagnosis)
    ward_movement: Table = field(default_factory=care.movement)
    vital_sign: Table = field(default_factory=care.vital_sign)
    stay_operation: Table = field(default_factory=care.operation)
    transfusion: Table = field(default_factory=care.transfusion)
    pregnancy: Table = field(default_factory=care.pregnancy)
    pregnancy_care: Table = field(default_factory=care.care)
    pregnancy_risk_factor: Table = field(default_factory=care.risk_factor)
    planned_pregnancy_visit: Table = field(default_factory=care.planned_visit)
    pregnancy_visit: Table = field(default_factory=care.pregnancy_visit)
    birth: Table = field(default_factory=care.birth)
    home_call: Table = field(default_factory=care.home_call)
    signal_case: Table = field(default_factory=care.signal_case)
    signal_event: Table = field(default_factory=care.signal_event)
    # After all events of the person: the store checks then that none lies after the death.
    death: Table = field(default_factory=care.death)

    def __iter__(self) -> Iterator[Table]:
        return (getattr(self, f.name) for f in fields(self))

    def digests(self) -> dict[str, str]:
        """The digest of each table; password hashes are salted anew each time, so users are left out."""
        return {str(table.name): table.digest() for table in self if table.name != "app_user"}
