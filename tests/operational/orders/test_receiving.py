"""What devices delivered, matched by hand: results recorded, taken back, dismissed; studies likewise."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.clock import FixedClock
from kmis.iin import generate_first
from operational.domains.orders import receiving, receiving_errors, receiving_studies
from operational.domains.orders.models import (
    Device,
    DeviceMessage,
    DiagnosticOrder,
    DiagnosticReport,
    ImagingStudy,
    LabResult,
)
from operational.domains.orders.receiving_schemas import (
    DeliveredInstance,
    KnownDevice,
    LabMessage,
    LabReport,
    LabValue,
    Received,
    StatedPerson,
)
from operational.domains.patients.models import Patient
from operational.kit.errors import NotFound

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
CLOCK = FixedClock(AT)


@pytest.fixture
def device(session: Session, world: dict[str, int]) -> KnownDevice:
    row = Device(
        organisation_id=world["polyclinic"], code="HAND", name_kk="HAND", name_ru="HAND", kind="analyser",
        protocol="hl7v2", address="HAND|LAB",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return KnownDevice(row.id, row.organisation_id, row.code, row.protocol, row.address, None, None)


BORN = date(1931, 5, 7)


def create_patient(session: Session, owner: int, serial: int = 7000) -> Patient:
    iin = generate_first(BORN, "F", range(serial, serial + 5))
    patient = Patient(
        owner_organisation_id=owner, iin=iin, surname="Қолмен", given_name="Табылған", name_key=" колмен табылган",
        sort_key="колмен", birth_date=BORN, sex="F",
    )  # fmt: skip
    session.add(patient)
    session.flush()
    return patient


def create_order(session: Session, patient: Patient, category: str) -> DiagnosticOrder:
    order = DiagnosticOrder(
        owner_organisation_id=patient.owner_organisation_id, patient_id=patient.id, category=category, ordered_at=AT,
        modality="CT" if category == "imaging" else None,
    )  # fmt: skip
    session.add(order)
    session.flush()
    return order


def received(device: KnownDevice, digest: str) -> Received:
    return Received(device, device.organisation_id, "hl7v2", AT, f"spool/{digest}.hl7", 10, digest, digest)


def message(filler: str, number: str = "5.5", **report: object) -> LabMessage:
    value = LabValue(device_code="X1", device_name="X", kind="numeric", number=Decimal(number), unit="g")
    parts: dict[str, object] = {"filler_number": filler, "issued_at": AT, "values": (value,)}
    return LabMessage(control_id=filler, sent_at=AT, reports=(LabReport.model_validate(parts | report),))


def unmatched(session: Session, device: KnownDevice, filler: str) -> int:
    outcome = receiving.record_report(session, CLOCK, received(device, filler), message(filler))
    assert (outcome.status, outcome.report_ids) == ("unmatched", ())
    return outcome.message_id


def test_matching_by_hand_records_the_results_and_moves_the_order(session: Session, device: KnownDevice) -> None:
    key = unmatched(session, device, "H1")
    patient = create_patient(session, device.organisation_id)
    order = create_order(session, patient, "laboratory")
    outcome = receiving.match_message(session, CLOCK, key, patient.id, order.id)
    row = session.get_one(DeviceMessage, key)
    report = session.get_one(DiagnosticReport, outcome.report_ids[0])
    assert (row.status, row.matched_by, row.problem) == ("matched", "hand", None)
    assert (report.patient_id, report.order_id, report.filler_number) == (patient.id, order.id, "HAND:H1")
    assert order.status == "completed"
    with pytest.raises(receiving_errors.AlreadyMatched):
        receiving.match_message(session, CLOCK, key, patient.id)


def test_a_match_taken_back_voids_what_was_recorded(session: Session, device: KnownDevice) -> None:
    key = unmatched(session, device, "H2")
    patient = create_patient(session, device.organisation_id)
    outcome = receiving.match_message(session, CLOCK, key, patient.id)
    with pytest.raises(receiving_errors.ReasonNeeded):
        receiving.unmatch_message(session, CLOCK, key, " ")
    receiving.unmatch_message(session, CLOCK, key, "another patient")
    report = session.get_one(DiagnosticReport, outcome.report_ids[0])
    result = session.scalars(select(LabResult).where(LabResult.report_id == report.id)).one()
    assert (report.void_reason, result.void_reason) == ("another patient", "another patient")
    assert session.get_one(DeviceMessage, key).status == "unmatched"
    again = receiving.match_message(session, CLOCK, key, patient.id)
    assert again.report_ids != outcome.report_ids


def test_a_match_taken_back_frees_its_order(session: Session, device: KnownDevice) -> None:
    key = unmatched(session, device, "H2O")
    patient = create_patient(session, device.organisation_id)
    order = create_order(session, patient, "laboratory")
    receiving.match_message(session, CLOCK, key, patient.id, order.id)
    assert order.status == "completed"
    receiving.unmatch_message(session, CLOCK, key, "another patient")
    assert (order.status, order.completed_at) == ("active", None)


def test_only_a_visible_person_and_an_own_order_can_be_chosen(session: Session, device: KnownDevice) -> None:
    key = unmatched(session, device, "H3")
    patient = create_patient(session, device.organisation_id)
    other = create_patient(session, device.organisation_id, 7100)
    imaging = create_order(session, patient, "imaging")
    with pytest.raises(receiving_errors.UnknownPerson):
        receiving.match_message(session, CLOCK, key, 10**9)
    for chosen, order in ((other, imaging), (patient, imaging)):
        with pytest.raises(receiving_errors.OrderOfAnotherPerson):
            receiving.match_message(session, CLOCK, key, chosen.id, order.id)
    with pytest.raises(NotFound):
        receiving.match_message(session, CLOCK, 10**9, patient.id)


def test_what_could_not_be_read_is_dismissed_and_not_matched(session: Session, device: KnownDevice) -> None:
    key = receiving.record_refused(session, received(device, "H4"), "malformed")
    assert receiving.record_refused(session, received(device, "H4"), "malformed") == key
    patient = create_patient(session, device.organisation_id)
    with pytest.raises(receiving_errors.NothingToRecord):
        receiving.match_message(session, CLOCK, key, patient.id)
    receiving.dismiss_message(session, CLOCK, key, "a test message")
    row = session.get_one(DeviceMessage, key)
    assert (row.status, row.resolution, row.resolved_at) == ("resolved", "a test message", AT)
    with pytest.raises(receiving_errors.AlreadyResolved):
        receiving.dismiss_message(session, CLOCK, key, "again")


def test_what_was_refused_before_is_recorded_when_it_can_be_read(session: Session, device: KnownDevice) -> None:
    key = receiving.record_refused(session, received(device, "H5"), "charset")
    outcome = receiving.record_report(session, CLOCK, received(device, "H5"), message("H5"))
    assert (outcome.message_id, outcome.status, outcome.repeated) == (key, "unmatched", False)
    assert receiving.record_report(session, CLOCK, received(device, "H5"), message("H5")).repeated


def test_a_withdrawn_report_is_voided(session: Session, device: KnownDevice) -> None:
    patient = create_patient(session, device.organisation_id)
    stated = StatedPerson(iin=patient.iin)
    first = message("H6").model_copy(update={"person": stated})
    report = receiving.record_report(session, CLOCK, received(device, "H6a"), first).report_ids[0]
    gone = message("H6", withdrawn=True, issued_at=AT + timedelta(hours=1)).model_copy(update={"person": stated})
    outcome = receiving.record_report(session, CLOCK, received(device, "H6b"), gone)
    assert outcome.status == "matched" and outcome.report_ids == ()
    assert session.get_one(DiagnosticReport, report).voided_at is not None


def test_the_database_refuses_a_match_without_a_person(session: Session, device: KnownDevice) -> None:
    key = unmatched(session, device, "H7")
    with pytest.raises(IntegrityError, match="ck_device_message_matched"), session.begin_nested():
        session.execute(text("update device_message set status = 'matched' where id = :key"), {"key": key})


def instance(study: str, number: int, content: bytes = b"1", **values: object) -> DeliveredInstance:
    row: dict[str, object] = {
        "study_uid": study, "series_uid": f"{study}.1", "sop_uid": f"{study}.1.{number}",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.2", "transfer_syntax_uid": "1.2.840.10008.1.2.1",
        "file_path": f"dicom/{study}/{number}.dcm", "file_bytes": 10, "sha256": content, "modality": "CT",
    }  # fmt: skip
    return DeliveredInstance.model_validate(row | values)


def test_objects_are_indexed_once_and_their_study_is_counted(session: Session, device: KnownDevice) -> None:
    batch = [instance("1.2.3", 1), instance("1.2.3", 2), instance("1.2.3", 1), instance("1.2.3", 2, b"other")]
    verdicts = receiving_studies.record_instances(session, CLOCK, device, batch)
    assert verdicts == ["stored", "stored", "same", "differs"]
    receiving_studies.settle_study(session, CLOCK, "1.2.3")
    study = session.scalars(select(ImagingStudy).where(ImagingStudy.study_uid == "1.2.3")).one()
    assert (study.status, study.series, study.instances) == ("available", 1, 2)
    receiving_studies.record_instances(session, CLOCK, device, [instance("1.2.3", 3)])
    session.refresh(study)
    assert study.status == "receiving"


def test_a_study_is_matched_by_hand_and_the_match_taken_back(session: Session, device: KnownDevice) -> None:
    receiving_studies.record_instances(session, CLOCK, device, [instance("1.2.4", 1)])
    receiving_studies.settle_study(session, CLOCK, "1.2.4")
    study = session.scalars(select(ImagingStudy).where(ImagingStudy.study_uid == "1.2.4")).one()
    patient = create_patient(session, device.organisation_id)
    order = create_order(session, patient, "imaging")
    receiving.match_study(session, CLOCK, study.id, patient.id, order.id)
    assert (study.patient_id, study.matched_by, order.status) == (patient.id, "hand", "completed")
    with pytest.raises(receiving_errors.AlreadyMatched):
        receiving.dismiss_study(session, CLOCK, study.id, "a phantom")
    receiving.unmatch_study(session, CLOCK, study.id, "another patient")
    assert (study.patient_id, study.order_id, order.status, order.completed_at) == (None, None, "active", None)
    with pytest.raises(receiving_errors.NotMatched):
        receiving.unmatch_study(session, CLOCK, study.id, "again")
    receiving.dismiss_study(session, CLOCK, study.id, "a phantom")
    assert study.void_reason == "a phantom"


def test_an_order_with_a_report_stays_complete_when_its_study_is_taken_away(
    session: Session, device: KnownDevice
) -> None:
    receiving_studies.record_instances(session, CLOCK, device, [instance("1.2.14", 1)])
    study = session.scalars(select(ImagingStudy).where(ImagingStudy.study_uid == "1.2.14")).one()
    patient = create_patient(session, device.organisation_id)
    order = create_order(session, patient, "imaging")
    receiving.match_study(session, CLOCK, study.id, patient.id, order.id)
    report = DiagnosticReport(
        owner_organisation_id=patient.owner_organisation_id, patient_id=patient.id, order_id=order.id,
        category="imaging", source="manual", issued_at=AT, conclusion="no change",
    )  # fmt: skip
    session.add(report)
    session.flush()
    receiving.unmatch_study(session, CLOCK, study.id, "another patient")
    assert (order.status, order.completed_at) == ("completed", AT)


def test_another_organisations_study_is_foreign(session: Session, device: KnownDevice, world: dict[str, int]) -> None:
    receiving_studies.record_instances(session, CLOCK, device, [instance("1.2.5", 1)])
    other = KnownDevice(device.id, world["other"], "O", "dicom", "O", None, None)
    session.execute(text("select set_config('kmis.scope', :scope, true)"), {"scope": str(world["other"])})
    assert receiving_studies.record_instances(session, CLOCK, other, [instance("1.2.5", 2)]) == ["foreign"]
