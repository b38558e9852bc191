"""Facts of one event, and who answers for the person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kmis.clock import local_date
from operational.domains.inpatient.models import HospitalStay
from operational.domains.monitoring.signals import repository as cases
from operational.domains.monitoring.signals.evidence import repository
from operational.domains.patients.models import Death
from signal_sheets.rules import (
    DeathFacts,
    Diagnosis,
    Facts,
    MaternalFacts,
    Operation,
    StayFacts,
    Transfusion,
    Vital,
    in_ranges,
    rules_of,
)


@dataclass(frozen=True, slots=True)
class Responsible:
    """Who answers: the organisation, and the people in it; where nobody does the case stands in its queue."""

    organisation_id: int
    site_id: int | None = None
    practitioner_id: int | None = None
    nurse_id: int | None = None


def of_discharge(session: Session, stay: HospitalStay) -> Facts:
    """What the sheets of a discharge are about."""
    main = next((row.icd10_code for row in repository.diagnoses(session, stay.id) if row.rank == "main"), None)
    operated = tuple(Operation(row.operation_code, row.started_at) for row in repository.operations(session, stay.id))
    return Facts(
        alive_flag=_alive(session, stay.patient_id),
        stay=None if stay.voided_at else StayFacts(stay.id, stay.discharged_at, stay.outcome, main, operated),
    )


def of_woman(session: Session, stay: HospitalStay, now: datetime, zone: ZoneInfo) -> Facts:
    """What the maternal rules are about: the dangers of the stay, and what the register of pregnancies says."""
    if stay.voided_at is not None:
        return Facts()
    found = maternity_of(session, stay, now, zone)
    diagnoses = tuple(Diagnosis(row.icd10_code, row.established_at) for row in repository.diagnoses(session, stay.id))
    if found is None and not _pregnant(diagnoses):
        return Facts()
    return Facts(
        alive_flag=_alive(session, stay.patient_id),
        maternal=MaternalFacts(
            stay_id=stay.id,
            state=None if found is None else "pregnant" if found[0] is None else "postpartum",
            diagnoses=diagnoses,
            vitals=tuple(
                Vital(row.measured_at, row.systolic, row.diastolic, row.chills_flag)
                for row in repository.vitals(session, stay.id)
            ),
            transfusions=tuple(
                Transfusion(row.started_at, row.component, row.volume_ml)
                for row in repository.transfusions(session, stay.id)
            ),
            intensive_care_at=tuple(repository.intensive_care(session, stay.id)),
        ),
    )


def _pregnant(diagnoses: tuple[Diagnosis, ...]) -> bool:
    ranges = [rule.condition.pregnancy_icd10 for rule in rules_of("maternal")]
    return any(in_ranges(one.code, wanted) for one in diagnoses for wanted in ranges)


def of_death(session: Session, death: Death, zone: ZoneInfo) -> Facts:
    """What the sheet of deaths is about; a person attached nowhere is on no sheet."""
    if death.voided_at is not None:
        return Facts(alive_flag=True)
    attached = repository.attachment_on(session, death.patient_id, local_date(death.died_at, zone)) is not None
    told = DeathFacts(death.id, death.died_at, death.place, death.underlying_icd10, attached)
    return Facts(alive_flag=False, death=told)


def maternity_of(
    session: Session, stay: HospitalStay, now: datetime, zone: ZoneInfo
) -> tuple[date | None, int | None, int | None] | None:
    """The pregnancy during the stay, or the one that ended shortly before it."""
    days = max((rule.condition.postpartum_days or 0 for rule in rules_of("maternal")), default=0)
    begun = local_date(stay.admitted_at, zone)
    until = local_date(stay.discharged_at or now, zone)
    return repository.maternity_on(session, stay.patient_id, begun - timedelta(days=days), until)


def who_answers(session: Session, patient_id: int, day: date, otherwise: int) -> Responsible:
    """The organisation and site of attachment on the day with the people of the site, else ``otherwise``."""
    attached = repository.attachment_on(session, patient_id, day)
    if attached is None:
        return Responsible(otherwise)
    organisation_id, site_id = attached
    people = repository.site_staff(session, site_id, day)
    return Responsible(organisation_id, site_id, people.get("doctor"), people.get("nurse"))


def who_leads(session: Session, stay: HospitalStay, day: date, now: datetime, zone: ZoneInfo) -> Responsible:
    """Who answers for a woman: the organisation that leads her pregnancy with its obstetrician, else attachment."""
    attached = who_answers(session, stay.patient_id, day, stay.owner_organisation_id)
    found = maternity_of(session, stay, now, zone)
    if found is None or found[1] is None:
        # The site's doctor does not lead the pregnancy: the queue, where an obstetrician takes it.
        return Responsible(attached.organisation_id, attached.site_id, None, attached.nurse_id)
    if found[1] != attached.organisation_id:
        return Responsible(found[1], None, found[2], None)
    return Responsible(found[1], attached.site_id, found[2], attached.nurse_id)


def _alive(session: Session, patient_id: int) -> bool:
    return not repository.died(session, cases.records_of(session, patient_id))
