"""The tables of hospital, maternity, orders, home calls and signal cases that the demonstration fills."""

from __future__ import annotations

from polars import Boolean, Date, Datetime, Float64, Int64, String

from operational.demo.tables import Table


def bed_stock() -> Table:
    return Table(
        "bed_stock",
        {"organisation_id": Int64, "department_id": Int64, "bed_profile": String, "hospital_kind": String,
         "beds": Int64, "valid_from": Date, "valid_to": Date},
    )  # fmt: skip


def device() -> Table:
    return Table(
        "device",
        {"organisation_id": Int64, "department_id": Int64, "code": String, "name_kk": String, "name_ru": String,
         "kind": String, "protocol": String, "address": String, "modality": String, "charset": String,
         "active": Boolean},
    )  # fmt: skip


def device_test_code() -> Table:
    return Table("device_test_code", {"device_id": Int64, "device_code": String, "test_code": String})


def order() -> Table:
    return Table(
        "diagnostic_order",
        {"owner_organisation_id": Int64, "accession_number": String, "patient_id": Int64, "category": String,
         "encounter_id": Int64, "service_request_id": Int64, "practitioner_id": Int64, "department_id": Int64,
         "performing_organisation_id": Int64, "service_code": String, "modality": String, "body_part": String,
         "icd10_code": String, "clinical_note": String, "priority": String, "status": String,
         "ordered_at": Datetime, "scheduled_at": Datetime, "station_aet": String, "completed_at": Datetime,
         "cancelled_at": Datetime, "cancel_reason": String},
    )  # fmt: skip


def order_test() -> Table:
    return Table(
        "order_test",
        {"owner_organisation_id": Int64, "order_id": Int64, "patient_id": Int64, "test_code": String},
    )


def message() -> Table:
    return Table(
        "device_message",
        {"owner_organisation_id": Int64, "device_id": Int64, "protocol": String, "control_id": String,
         "received_at": Datetime, "raw_path": String, "raw_bytes": Int64, "raw_sha256": String, "status": String,
         "problem": String, "stated": String, "patient_id": Int64, "order_id": Int64, "matched_by": String},
    )  # fmt: skip


def report() -> Table:
    return Table(
        "diagnostic_report",
        {"owner_organisation_id": Int64, "patient_id": Int64, "order_id": Int64, "category": String,
         "source": String, "filler_number": String, "device_message_id": Int64, "imaging_study_id": Int64,
         "status": String, "collected_at": Datetime, "issued_at": Datetime, "practitioner_id": Int64,
         "conclusion": String, "voided_at": Datetime, "void_reason": String},
    )  # fmt: skip


def result() -> Table:
    return Table(
        "lab_result",
        {"owner_organisation_id": Int64, "report_id": Int64, "patient_id": Int64, "test_code": String,
         "device_code": String, "value_kind": String, "value_number": Float64, "value_text": String, "unit": String,
         "reference_low": Float64, "reference_high": Float64, "interpretation": String, "status": String,
         "observed_at": Datetime, "voided_at": Datetime, "void_reason": String},
    )  # fmt: skip


def study() -> Table:
    return Table(
        "imaging_study",
        {"owner_organisation_id": Int64, "study_uid": String, "patient_id": Int64, "order_id": Int64,
         "device_id": Int64, "accession_number": String, "modality": String, "body_part": String,
         "description": String, "started_at": Datetime, "received_at": Datetime, "status": String,
         "series": Int64, "instances": Int64, "stated": String, "matched_at": Datetime, "matched_by": String},
    )  # fmt: skip


def instance() -> Table:
    return Table(
        "imaging_instance",
        {"owner_organisation_id": Int64, "study_uid": String, "series_uid": String, "sop_uid": String,
         "sop_class_uid": String, "transfer_syntax_uid": String, "series_number": Int64, "instance_number": Int64,
         "series_description": String, "modality": String, "frames": Int64, "file_path": String,
         "file_bytes": Int64, "sha256": String, "received_at": Datetime, "content_date": Date},
    )  # fmt: skip


def presentation() -> Table:
    return Table(
        "hospital_presentation",
        {"owner_organisation_id": Int64, "patient_id": Int64, "department_id": Int64, "admission_type": String,
         "arrived_at": Datetime, "arrival_channel": String, "referring_organisation_id": Int64,
         "triage_zone": String, "complaint": String, "pulse": Int64, "systolic": Int64, "diastolic": Int64,
         "spo2": Int64, "temperature": Float64, "respiratory_rate": Int64, "seen_at": Datetime,
         "practitioner_id": Int64, "icd10_code": String, "decision": String, "decided_at": Datetime,
         "refusal_reason": String, "target_organisation_id": Int64, "created_at": Datetime,
         "voided_at": Datetime, "void_reason": String},
    )  # fmt: skip


def stay() -> Table:
    return Table(
        "hospital_stay",
        {"owner_organisation_id": Int64, "patient_id": Int64, "presentation_id": Int64, "case_number": String,
         "admission_type": String, "hospital_kind": String, "arrival_channel": String,
         "referring_organisation_id": Int64, "financing_source": String, "practitioner_id": Int64,
         "condition": String, "admitted_at": Datetime, "discharged_at": Datetime, "outcome": String,
         "treatment_result": String, "target_organisation_id": Int64, "epicrisis": String,
         "recommendations": String, "signed_at": Datetime, "signed_by": Int64, "created_at": Datetime,
         "voided_at": Datetime, "void_reason": String},
    )  # fmt: skip


def stay_diagnosis() -> Table:
    return Table(
        "stay_diagnosis",
        {"owner_organisation_id": Int64, "stay_id": Int64, "patient_id": Int64, "phase": String, "rank": String,
         "icd10_code": String, "established_at": Datetime, "voided_at": Datetime, "void_reason": String},
    )  # fmt: skip


def movement() -> Table:
    return Table(
        "ward_movement",
        {"owner_organisation_id": Int64, "stay_id": Int64, "patient_id": Int64, "department_id": Int64,
         "bed_profile": String, "ward": String, "bed": String, "started_at": Datetime, "ended_at": Datetime},
    )  # fmt: skip


def vital_sign() -> Table:
    return Table(
        "vital_sign",
        {"owner_organisation_id": Int64, "stay_id": Int64, "patient_id": Int64, "measured_at": Datetime,
         "temperature": Float64, "pulse": Int64, "systolic": Int64, "diastolic": Int64, "respiratory_rate": Int64,
         "spo2": Int64, "chills_flag": Boolean, "practitioner_id": Int64},
    )  # fmt: skip


def operation() -> Table:
    return Table(
        "stay_operation",
        {"owner_organisation_id": Int64, "stay_id": Int64, "patient_id": Int64, "operation_code": String,
         "started_at": Datetime, "ended_at": Datetime, "surgeon_id": Int64, "urgency": String,
         "anaesthesia": String, "complication": String, "protocol": String},
    )  # fmt: skip


def transfusion() -> Table:
    return Table(
        "transfusion",
        {"owner_organisation_id": Int64, "stay_id": Int64, "patient_id": Int64, "component": String,
         "volume_ml": Int64, "blood_group": String, "rhesus": String, "unit_number": String, "indication": String,
         "started_at": Datetime, "ended_at": Datetime, "reaction_flag": Boolean, "reaction_note": String,
         "practitioner_id": Int64},
    )  # fmt: skip


def pregnancy() -> Table:
    return Table(
        "pregnancy",
        {"owner_organisation_id": Int64, "patient_id": Int64, "registered_on": Date, "last_menstrual_date": Date,
         "expected_delivery_date": Date, "gravida": Int64, "para": Int64, "height_cm": Int64,
         "weight_before_kg": Float64, "risk_group": String, "ended_on": Date, "outcome": String,
         "created_at": Datetime},
    )  # fmt: skip


def care() -> Table:
    return Table(
        "pregnancy_care",
        {"owner_organisation_id": Int64, "pregnancy_id": Int64, "patient_id": Int64, "practitioner_id": Int64,
         "reason": String, "valid_from": Date, "valid_to": Date},
    )  # fmt: skip


def risk_factor() -> Table:
    return Table(
        "pregnancy_risk_factor",
        {"owner_organisation_id": Int64, "pregnancy_id": Int64, "patient_id": Int64, "factor_code": String,
         "found_on": Date},
    )  # fmt: skip


def planned_visit() -> Table:
    return Table(
        "planned_pregnancy_visit",
        {"owner_organisation_id": Int64, "pregnancy_id": Int64, "patient_id": Int64, "visit_no": Int64,
         "due_from": Date, "due_to": Date},
    )  # fmt: skip


def pregnancy_visit() -> Table:
    return Table(
        "pregnancy_visit",
        {"owner_organisation_id": Int64, "pregnancy_id": Int64, "patient_id": Int64, "visit_no": Int64,
         "visited_at": Datetime, "practitioner_id": Int64, "place": String, "gestation_days": Int64,
         "weight_kg": Float64, "systolic": Int64, "diastolic": Int64, "fundal_height_cm": Int64,
         "fetal_heart_rate": Int64, "oedema": String, "proteinuria": String, "conclusion": String,
         "next_visit_on": Date},
    )  # fmt: skip


def birth() -> Table:
    return Table(
        "birth",
        {"owner_organisation_id": Int64, "patient_id": Int64, "pregnancy_id": Int64, "child_patient_id": Int64,
         "born_at": Datetime, "delivery_date": Date, "birth_order": Int64, "plurality": Int64, "place": String,
         "department_id": Int64, "vital_status": String, "sex": String, "delivery_mode": String,
         "gestation_weeks": Int64, "weight_g": Int64, "length_cm": Int64, "apgar_1": Int64, "apgar_5": Int64,
         "practitioner_id": Int64, "created_at": Datetime},
    )  # fmt: skip


def home_call() -> Table:
    return Table(
        "home_call",
        {"owner_organisation_id": Int64, "patient_id": Int64, "site_id": Int64, "kind": String, "source": String,
         "urgency": String, "called_at": Datetime, "due_at": Datetime, "complaint": String, "address": String,
         "phone": String, "temperature_note": String, "practitioner_id": Int64, "status": String,
         "assigned_at": Datetime, "performed_at": Datetime, "encounter_id": Int64, "result_note": String,
         "cancel_reason": String, "created_at": Datetime},
    )  # fmt: skip


def signal_case() -> Table:
    return Table(
        "signal_case",
        {"owner_organisation_id": Int64, "patient_id": Int64, "rule_code": String, "rule_version": Int64,
         "subject": String, "subject_id": Int64, "severity": String, "audience": String, "reason_code": String,
         "facts": String, "advice_codes": String, "recommendations": String, "origin_organisation_id": Int64,
         "icd10_code": String, "event_at": Datetime, "opened_at": Datetime, "due_at": Datetime, "site_id": Int64,
         "practitioner_id": Int64, "nurse_id": Int64, "state": String, "delivered_at": Datetime,
         "seen_at": Datetime, "contacted_at": Datetime, "visited_at": Datetime, "closed_at": Datetime,
         "outcome": String},
    )  # fmt: skip


def signal_event() -> Table:
    return Table(
        "signal_event",
        {"owner_organisation_id": Int64, "case_id": Int64, "patient_id": Int64, "kind": String, "at": Datetime,
         "user_id": Int64, "note": String, "detail": String},
    )  # fmt: skip


def death() -> Table:
    return Table(
        "death",
        {"owner_organisation_id": Int64, "patient_id": Int64, "died_at": Datetime, "time_known_flag": Boolean,
         "place": String, "hospital_organisation_id": Int64, "underlying_icd10": String, "immediate_icd10": String,
         "certificate_number": String, "autopsy_flag": Boolean, "maternal": String, "registered_at": Datetime,
         "registered_by": Int64, "voided_at": Datetime, "void_reason": String},
    )  # fmt: skip
