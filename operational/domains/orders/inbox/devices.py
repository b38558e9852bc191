"""Devices: registered, changed, switched off; how an analyser names tests, and values that waited for it."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.clock import local_date
from operational.domains.catalogs import repository as catalogs
from operational.domains.orders import errors
from operational.domains.orders import repository as orders
from operational.domains.orders.inbox import repository
from operational.domains.orders.intervals import interpret, intervals_for
from operational.domains.orders.models import Device, DeviceTestCode
from operational.domains.orders.schemas import DeviceForm, MappingForm
from operational.domains.patients import repository as patients
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.errors import BusinessError, NotFound, constraint_of

TITLE = re.compile(r"[ -\[\]-~]{1,16}")
REFUSALS: dict[str, type[BusinessError]] = {
    "uq_device_code": errors.DeviceCodeTaken,
    "uq_device_protocol_address": errors.DeviceAddressTaken,
    "ck_device_aet": errors.DeviceAddressBad,
    "fk_device_department_id_organisation_id": errors.DepartmentOfAnother,
    "uq_device_test_code_device_id_device_code": errors.MappingTaken,
    "fk_device_test_code_test_code": errors.UnknownTest,
}


def get(session: Session, key: int) -> Device:
    """A device of the user's organisations. Raises NotFound."""
    row = repository.device(session, key)
    if row is None or row.organisation_id not in scope_of(session).organisation_ids:
        raise NotFound()
    return row


def save(session: Session, form: DeviceForm, key: int | None = None) -> Device:
    """Register a device, or change one. Raises a BusinessError that names the field."""
    if form.organisation_id not in scope_of(session).organisation_ids:
        raise errors.OrganisationOutsideScope()
    _check(session, form)
    row = Device() if key is None else get(session, key)
    for name, value in form.model_dump().items():
        setattr(row, name, value)
    if row.protocol != "dicom":
        row.modality = None
    session.add(row)
    _flush(session)
    audit(
        session, "device.registered" if key is None else "device.changed", object_table="device", object_id=row.id,
        organisation_id=row.organisation_id,
    )  # fmt: skip
    return row


def switch(session: Session, key: int, *, active: bool) -> Device:
    """Switch a device off, or on again: one that is off is refused by the listeners."""
    row = get(session, key)
    row.active = active
    session.flush()
    audit(
        session, "device.switched_on" if active else "device.switched_off", object_table="device", object_id=key,
        organisation_id=row.organisation_id,
    )  # fmt: skip
    return row


def map_code(session: Session, zone: ZoneInfo, key: int, form: MappingForm) -> int:
    """Say which test a device's code is, and give the values that waited for it their test; how many they were.

    A value whose report has a value of the test already stays as it is. Raises UnknownTest, MappingTaken.
    """
    row = get(session, key)
    if not any(test.active for test in catalogs.lab_tests_by_codes(session, [form.test_code])):
        raise errors.UnknownTest("test_code")
    session.add(DeviceTestCode(device_id=row.id, device_code=form.device_code, test_code=form.test_code))
    _flush(session)
    filled = 0
    for result in repository.unmapped_results(session, row.id, form.device_code):
        if form.test_code in repository.tests_of_report(session, result.report_id):
            continue
        result.test_code = form.test_code
        if result.interpretation is None and result.value_number is not None and result.reference_low is None \
                and result.reference_high is None:  # fmt: skip
            patient = patients.get(session, result.patient_id)
            if patient is not None:
                day = local_date(result.observed_at, zone)
                interval = intervals_for(session, patient, [form.test_code], day).get(form.test_code)
                result.reference_low = interval.low if interval else None
                result.reference_high = interval.high if interval else None
                result.interpretation = interpret(result.value_number, result.comparator, interval)
        session.flush()
        filled += 1
    audit(
        session, "device.code_mapped", object_table="device", object_id=key, organisation_id=row.organisation_id,
        detail={"device_code": form.device_code, "test_code": form.test_code, "results": filled},
    )  # fmt: skip
    return filled


def _check(session: Session, form: DeviceForm) -> None:
    if form.protocol == "dicom":
        if form.kind != "modality":
            raise errors.DeviceKindBad()
        if not TITLE.fullmatch(form.address) or not form.address.strip():
            raise errors.DeviceAddressBad()
        known = {code for _, code in orders.coded_names(session, "modality")}
        if form.modality is None or form.modality not in known:
            raise errors.UnknownCode("modality")
    else:
        if form.kind == "modality":
            raise errors.DeviceKindBad()
        application, _, facility = form.address.partition("|")
        if not application.strip() or not facility.strip():
            raise errors.DeviceAddressBad()


def _flush(session: Session) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        refusal = REFUSALS.get(constraint_of(error))
        if refusal is None:
            raise
        raise refusal() from None
