"""Deaths: registered once per person wherever they happen, corrected and voided with a reason.

Kept true together: the death, ``patient.death_date`` of every record of the person, and what higher domains know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis.clock import Clock, local_date
from operational.domains.catalogs import repository as catalogs
from operational.domains.patients import errors_death as errors
from operational.domains.patients import repository
from operational.domains.patients.models import Death, Patient
from operational.domains.patients.schemas_death import CorrectDeath, RegisterDeath
from operational.domains.patients.service import require_reason
from operational.events.patients import DeathRegistered, DeathVoided
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.db import give_reason
from operational.kit.errors import BusinessError, Forbidden, NotFound, Required, constraint_of
from operational.kit.events import announce

# Clocks of two machines differ; a later moment is the future.
TOLERANCE = timedelta(minutes=5)
REFUSED_BY_DATABASE: Mapping[str, type[BusinessError]] = {
    "uq_death_patient": errors.DeathKnown,
    "uq_death_certificate": errors.CertificateTaken,
    "ck_death_after_events": errors.DeathBeforeEvent,
    "ck_death_hospital_named": errors.HospitalNeeded,
    "ck_death_place": errors.PlaceUnknown,
    "ck_death_maternal": errors.MaternalUnknown,
    "ck_patient_death_date": errors.DeathBeforeBirth,
    "fk_death_hospital_organisation_id": errors.HospitalUnknown,
}
Guard = Callable[[Session, tuple[int, ...]], BusinessError | None]
_guards: dict[str, tuple[Guard, Guard]] = {}


def register_guard(name: str, registering: Guard, voiding: Guard) -> None:
    """Let a higher domain refuse a death that it registers, or takes back, itself (a patient in hospital)."""
    _guards[name] = registering, voiding


def register_death(
    session: Session, clock: Clock, zone: ZoneInfo, wanted: RegisterDeath, *, organisation_id: int | None = None
) -> Death:
    """Register the death of a person; ``organisation_id`` owns the row, else the user's own organisation.

    Raises a refusal that names the field.
    """
    scope = scope_of(session)
    owner = organisation_id or scope.home_organisation_id
    if owner is None:
        raise Forbidden
    records = _records(session, wanted.patient_id)
    _check(session, clock, zone, wanted, records[0])
    keys = tuple(record.id for record in records)
    if repository.death_of(session, keys) is not None:
        raise errors.DeathKnown
    for registering, _ in _guards.values():
        if (refusal := registering(session, keys)) is not None:
            raise refusal
    row = Death(
        owner_organisation_id=owner, registered_at=clock.now(), registered_by=scope.user_id,
        **wanted.model_dump(exclude={"patient_id", "died_at"}), patient_id=records[0].id,
        died_at=_moment(wanted.died_at, zone),
    )  # fmt: skip
    with refusals_of_database(session):
        session.add(row)
        _set_date(session, records, row, zone)
    audit(session, "death.registered", object_table="death", object_id=row.id, organisation_id=owner)
    announce(session, DeathRegistered(row.id, row.patient_id, owner), clock, zone)
    return row


def correct_death(session: Session, clock: Clock, zone: ZoneInfo, key: int, wanted: CorrectDeath) -> Death:
    """Correct what was registered, with a reason."""
    row = _standing(session, key)
    records = _records(session, row.patient_id)
    _check(session, clock, zone, wanted, records[0])
    reason = require_reason(wanted.reason)
    give_reason(session, reason)
    with refusals_of_database(session):
        for name, value in wanted.model_dump(exclude={"reason", "died_at"}).items():
            setattr(row, name, value)
        row.died_at = _moment(wanted.died_at, zone)
        _set_date(session, records, row, zone)
    audit(session, "death.corrected", object_table="death", object_id=key, reason=reason)
    announce(session, DeathRegistered(row.id, row.patient_id, row.owner_organisation_id), clock, zone)
    return row


def void_death(session: Session, clock: Clock, zone: ZoneInfo, key: int, reason: str) -> Death:
    """Mark a death as entered in error: the person lives again in every list."""
    row = _standing(session, key)
    reason = require_reason(reason)
    records = _records(session, row.patient_id)
    for _, voiding in _guards.values():
        if (refusal := voiding(session, tuple(record.id for record in records))) is not None:
            raise refusal
    give_reason(session, reason)
    row.voided_at, row.void_reason = clock.now(), reason
    for record in records:
        record.death_date = None
    session.flush()
    audit(session, "death.voided", object_table="death", object_id=key, reason=reason)
    announce(session, DeathVoided(row.id, row.patient_id, row.owner_organisation_id), clock, zone)
    return row


def death_of_person(session: Session, patient_id: int) -> Death | None:
    """The standing death of the person that the record belongs to."""
    return repository.death_of(session, tuple(record.id for record in _records(session, patient_id)))


@contextmanager
def refusals_of_database(session: Session) -> Iterator[None]:
    """Flush what the block changes; a constraint that refuses speaks as the rule it stands for."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        refusal = REFUSED_BY_DATABASE.get(constraint_of(error))
        if refusal is None:
            raise
        raise refusal from None


def _check(
    session: Session, clock: Clock, zone: ZoneInfo, wanted: RegisterDeath | CorrectDeath, patient: Patient
) -> None:
    died_at = _moment(wanted.died_at, zone)
    if died_at > clock.now() + TOLERANCE:
        raise errors.DeathInFuture
    if patient.birth_date is not None and local_date(died_at, zone) < patient.birth_date:
        raise errors.DeathBeforeBirth
    if wanted.place == "hospital" and wanted.hospital_organisation_id is None:
        raise errors.HospitalNeeded
    if wanted.maternal != "no" and patient.sex == "M":
        raise errors.MaternalOfMan
    for field in ("underlying_icd10", "immediate_icd10"):
        code = getattr(wanted, field)
        if code and not _codable(session, code):
            raise errors.CauseUnknown(field)
    if not wanted.underlying_icd10:
        raise Required("underlying_icd10")


def _codable(session: Session, code: str) -> bool:
    """Whether a cause of death may be coded so."""
    return any(row.active and row.level in catalogs.CODABLE for row in catalogs.icd10_by_codes(session, [code]))


def _moment(at: datetime, zone: ZoneInfo) -> datetime:
    """A time without a zone is that of the organisation's clock."""
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _records(session: Session, patient_id: int) -> list[Patient]:
    """Every record of the person, locked, the surviving one first. Raises NotFound at the field."""
    patient = repository.get(session, patient_id)
    if patient is None or patient.voided_at is not None:
        raise NotFound("patient_id")
    survivor = patient.merged_into_id or patient.id
    records = repository.records_of(session, survivor) or [patient]
    for record in records:
        repository.get(session, record.id, lock=True)
    return records


def _set_date(session: Session, records: list[Patient], row: Death, zone: ZoneInfo) -> None:
    session.flush()
    for record in records:
        record.death_date = local_date(row.died_at, zone)


def _standing(session: Session, key: int) -> Death:
    """A death that is not voided and that the user's organisation registered. Raises NotFound or its kind."""
    row = repository.death(session, key)
    if row is None:
        raise NotFound
    if row.owner_organisation_id not in scope_of(session).organisation_ids:
        raise errors.DeathOfAnother
    row = repository.death(session, key, lock=True) or row
    if row.voided_at is not None:
        raise errors.DeathVoidedAlready
    return row
