"""The modality worklist: which open imaging orders a device may take up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from operational.domains.orders import receiving_repository as repository
from operational.domains.orders.receiving_schemas import KnownDevice, WorklistItem, WorklistQuery


def worklist(
    session: Session, device: KnownDevice, query: WorklistQuery, zone: ZoneInfo, limit: int
) -> Sequence[WorklistItem]:
    """Active imaging orders that the device's organisation performs, the soonest first, at most ``limit``.

    An order that names a station is shown to that station and to whoever asks for it; days are the zone's.
    """
    found = []
    rows = repository.open_imaging_orders(
        session, device.organisation_id, query,
        _begin(query.day_from, zone),
        _begin(query.day_to + timedelta(days=1), zone) if query.day_to else None,
        limit,
    )  # fmt: skip
    for order, patient, service, department, practitioner in rows:
        found.append(
            WorklistItem(
                order_id=order.id, accession_number=order.accession_number, iin=patient.iin,
                patient_no=patient.patient_no, surname=patient.surname, given_name=patient.given_name,
                patronymic=patient.patronymic, birth_date=patient.birth_date, sex=patient.sex,
                modality=order.modality or "", station_aet=order.station_aet,
                scheduled_at=(order.scheduled_at or order.ordered_at).astimezone(zone),
                service_code=order.service_code,
                service_name=(service.name_kk or service.name_ru) if service else None,
                body_part=order.body_part, priority=order.priority,
                department_name=department.name_kk if department else None,
                practitioner_name=(
                    f"{practitioner.surname}^{practitioner.given_name}" if practitioner else None
                ),
            )
        )  # fmt: skip
    return found


def _begin(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, zone)
