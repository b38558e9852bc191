"""Registration and correction of persons: checks first, then one write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kmis import iin, names
from operational.domains.patients import errors, repository
from operational.domains.patients.models import Patient
from operational.domains.patients.repository import Found, Reading, Sort
from operational.domains.patients.schemas import Demographics, Edit, Registration
from operational.domains.patients.search import Criteria, normalise_document, normalise_phone, read_criteria
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.db import give_reason
from operational.kit.errors import BusinessError, FieldErrors, Required, constraint_of

NOTHING = Criteria()
FIRST_BIRTH_DATE = date(1880, 1, 1)
UNKNOWN_SURNAME = {"kk": "Белгісіз", "ru": "Неизвестный"}
LEAST_REASON = 3  # letters; the database asks the same
REFUSED_BY_DATABASE: Mapping[str, type[BusinessError]] = {
    "uq_patient_iin": errors.PatientExists,
    "uq_patient_newborn": errors.NewbornExists,
    "ck_patient_iin": errors.IinCheckDigitWrong,
    "ck_patient_birth_date_not_future": errors.BirthDateInFuture,
    "ck_patient_birth_date_plausible": errors.BirthDateImplausible,
    "ck_patient_death_date": errors.DeathDateWrong,
}


@dataclass(frozen=True, slots=True)
class Review:
    """What the checks say of a form: ``errors`` refuse it, the rest is for the registrar to confirm."""

    errors: list[BusinessError] = field(default_factory=list)
    disagreements: tuple[iin.Disagreement, ...] = ()
    existing: Found | None = None
    candidates: list[Patient] = field(default_factory=list)


def full_name(patient: Patient) -> str:
    """Surname, given name and patronymic as one text."""
    return " ".join(part for part in (patient.surname, patient.given_name, patient.patronymic) if part)


def get(session: Session, patient_id: int) -> Patient:
    """The record. Raises PatientNotFound outside the user's scope."""
    patient = repository.get(session, patient_id)
    if patient is None:
        raise errors.PatientNotFound
    return patient


def records_of_person(session: Session, patient_id: int) -> list[Patient]:
    """Every record of the person whose record this is, the surviving one first. Raises PatientNotFound."""
    patient = get(session, patient_id)
    return repository.records_of(session, patient.merged_into_id or patient.id) or [patient]


def require_reason(text: str, field_name: str = "reason") -> str:
    """The reason given for an act. Raises ReasonRequired when there is none worth the name."""
    if len(text.strip()) < LEAST_REASON:
        raise errors.ReasonRequired(field_name)
    return text.strip()


# --- checks ---------------------------------------------------------------------------------------


def review(session: Session, form: Demographics, today: date, *, own_id: int | None = None) -> Review:
    """Check a form against the rules and the register; writes nothing but the audit of the IIN look-up."""
    found = [*_check_names(form), *_check_dates(form, today), *_check_kind(form)]
    number, of_iin = _read_iin(form)
    found += of_iin
    existing = repository.find_in_region(session, number) if number else None
    if existing is not None and existing.id == own_id:
        existing = None
    disagreements = iin.disagreements(number, form.birth_date, form.sex) if number else ()
    candidates: list[Patient] = []
    if form.birth_date and form.surname and form.given_name and existing is None:
        alike = repository.same_person_candidates(session, form.surname, form.given_name, form.birth_date)
        candidates = [patient for patient in alike if patient.id != own_id]
    return Review(found, disagreements, existing, candidates)


def _read_iin(form: Demographics) -> tuple[str | None, list[BusinessError]]:
    if not form.iin.strip():
        return None, [errors.IinRequired()] if form.identity_kind == "citizen" else []
    try:
        return iin.validate(form.iin), []
    except iin.IinError as error:
        return None, [errors.refusal_of(error)]


def _check_names(form: Demographics) -> list[BusinessError]:
    found: list[BusinessError] = []
    needed = {"unknown": (), "newborn": ()}.get(form.identity_kind, ("surname", "given_name"))
    for name in ("surname", "given_name", "patronymic"):
        value: str = getattr(form, name)
        if not value:
            if name in needed:
                found.append(Required(name))
        elif not _is_name(value):
            found.append(errors.NameNotLetters(name))
    if not all(_is_name(surname) for surname in form.earlier_surnames if surname):
        found.append(errors.NameNotLetters("earlier_surnames"))
    return found


def _is_name(text: str) -> bool:
    return any(c.isalpha() for c in text) and all(c.isalpha() or c in " -–'’ʻʼ`.()" for c in text)


def _check_dates(form: Demographics, today: date) -> list[BusinessError]:
    found: list[BusinessError] = []
    if form.birth_date is None:
        if form.identity_kind not in ("unknown", "without_papers"):
            found.append(Required("birth_date"))
    elif form.birth_date > today:
        found.append(errors.BirthDateInFuture())
    elif form.birth_date < FIRST_BIRTH_DATE:
        found.append(errors.BirthDateImplausible())
    if form.death_date and (form.death_date > today or (form.birth_date or form.death_date) > form.death_date):
        found.append(errors.DeathDateWrong())
    return found


def _check_kind(form: Demographics) -> list[BusinessError]:
    found: list[BusinessError] = []
    if form.identity_kind == "foreigner" and not form.document_number:
        found.append(Required("document_number"))
    if form.identity_kind == "newborn":
        found += [Required(name) for name in ("mother_id", "birth_order") if getattr(form, name) is None]
    if form.sex == "U" and form.identity_kind not in ("unknown", "newborn"):
        found.append(errors.SexRequired())
    phone = normalise_phone(form.phone)
    if form.phone and not 11 <= len(phone) <= 16:
        found.append(errors.PhoneWrong())
    return found


def _refuse(found: Sequence[BusinessError]) -> None:
    if len(found) == 1:
        raise found[0]
    if found:
        raise FieldErrors(list(found))


# --- writing --------------------------------------------------------------------------------------


def register(session: Session, form: Registration, today: date) -> Patient:
    """Add a person to the register.

    Raises FieldErrors or the single refusal, PatientExists, IinMismatchUnconfirmed, PossibleDuplicates.
    """
    scope = scope_of(session)
    checked = review(session, form, today)
    _refuse(checked.errors)
    if checked.existing is not None:
        raise errors.PatientExists(checked.existing.id)
    _need_mismatch_reason(form, checked)
    if checked.candidates and not form.confirm_not_duplicate:
        raise errors.PossibleDuplicates([patient.id for patient in checked.candidates])
    patient = Patient(owner_organisation_id=scope.home_organisation_id, **_values(session, form, checked))
    with _refusals_of_database(session):
        session.add(patient)
    audit(
        session, "patient.registered", object_table="patient", object_id=patient.id,
        detail={"identity_kind": form.identity_kind, "iin_mismatch": list(checked.disagreements)},
    )  # fmt: skip
    return patient


def edit(session: Session, patient_id: int, form: Edit, today: date) -> Patient:
    """Correct a record, with the reason that the change feed keeps beside it.

    Raises as ``register`` does, ReasonRequired, MergedRecordFixed.
    """
    patient = repository.get(session, patient_id, lock=True)
    if patient is None or patient.voided_at is not None:
        raise errors.PatientNotFound
    if patient.merged_into_id is not None:
        raise errors.MergedRecordFixed
    checked = review(session, form, today, own_id=patient.id)
    _refuse(checked.errors)
    if checked.existing is not None:
        raise errors.PatientExists(checked.existing.id)
    _need_mismatch_reason(form, checked)
    reason = require_reason(form.reason)
    give_reason(session, reason)
    values = _values(session, form, checked)
    if repository.death_of(session, (patient.id,)) is not None:
        values["death_date"] = patient.death_date  # the registered death says it
    changed = [name for name, value in values.items() if getattr(patient, name) != value]
    if changed:
        with _refusals_of_database(session):
            for name in changed:
                setattr(patient, name, values[name])
        audit(
            session, "patient.edited", object_table="patient", object_id=patient.id, reason=reason,
            detail={"fields": changed},
        )  # fmt: skip
    return patient


def _need_mismatch_reason(form: Demographics, checked: Review) -> None:
    if checked.disagreements and len(form.iin_mismatch_reason.strip()) < LEAST_REASON:
        raise errors.IinMismatchUnconfirmed(checked.disagreements)


def _values(session: Session, form: Demographics, checked: Review) -> dict[str, Any]:
    mother = get(session, form.mother_id) if form.identity_kind == "newborn" and form.mother_id else None
    surname = form.surname or (mother.surname if mother else "") or UNKNOWN_SURNAME[scope_of(session).language]
    earlier = [name for name in form.earlier_surnames if name]
    return {
        "identity_kind": form.identity_kind,
        "iin": iin.validate(form.iin) if form.iin.strip() else None,
        "surname": surname,
        "given_name": form.given_name,
        "patronymic": form.patronymic or None,
        "earlier_surnames": earlier,
        "name_key": names.name_key(surname, form.given_name, form.patronymic, earlier),
        "sort_key": names.sort_key(surname, form.given_name, form.patronymic),
        "birth_date": form.birth_date,
        "sex": form.sex,
        "mother_id": mother.id if mother else None,
        "birth_order": form.birth_order if mother else None,
        "document_kind": form.document_kind or None,
        "document_number": normalise_document(form.document_number) or None,
        "citizenship": form.citizenship,
        "phone": normalise_phone(form.phone) or None,
        "address": form.address or None,
        "residence_kato": form.residence_kato or None,
        "urban_flag": form.urban_flag,
        "death_date": form.death_date,
        "iin_mismatch_reason": form.iin_mismatch_reason.strip() if checked.disagreements else None,
    }


@contextmanager
def _refusals_of_database(session: Session) -> Iterator[None]:
    """Flush what the block changes; a constraint that refuses speaks as the rule it stands for."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        refusal = REFUSED_BY_DATABASE.get(constraint_of(error))
        if refusal is None:
            raise
        raise refusal from None


# --- finding --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page of persons: their merged records, those who have a namesake, and how the text was read."""

    patients: list[Patient]
    total: int
    reading: Reading
    criteria: Criteria
    merged: dict[int, list[Patient]]
    namesake_ids: set[int]
    mothers: dict[int, Patient]


def listed(
    session: Session, patients: list[Patient], total: int, reading: Reading = "typed", criteria: Criteria = NOTHING
) -> SearchResult:
    """A page of persons with what a list says beside each."""
    merged: dict[int, list[Patient]] = {}
    for record in repository.merged_into(session, [patient.id for patient in patients]):
        merged.setdefault(record.merged_into_id or 0, []).append(record)
    return SearchResult(
        patients, total, reading, criteria, merged, repository.namesakes(session, patients),
        mothers_of(session, patients),
    )  # fmt: skip


def search(
    session: Session,
    text: str,
    today: date,
    *,
    sort: Sort = "name",
    descending: bool = False,
    offset: int = 0,
    limit: int = 25,
) -> SearchResult:
    """Find persons by what was typed into the one box; an empty text finds everybody in the scope."""
    criteria = read_criteria(text, today)
    patients, total, reading = repository.search(
        session, criteria, sort=sort, descending=descending, offset=offset, limit=limit
    )
    return listed(session, patients, total, reading, criteria)


def mothers_of(session: Session, patients: Sequence[Patient]) -> dict[int, Patient]:
    """The mothers of the newborns among ``patients``, by the mother's key."""
    keys = {p.mother_id for p in patients if p.identity_kind == "newborn" and p.mother_id is not None}
    return {mother.id: mother for mother in repository.many(session, sorted(keys))} if keys else {}


def same_names(people: Sequence[tuple[int, str, str]]) -> set[int]:
    """Of a list of (patient key, surname, given name): those who share their name with another one in it."""
    seen: dict[tuple[str, ...], set[int]] = {}
    for patient_id, surname, given_name in people:
        seen.setdefault(names.fold_words(f"{surname} {given_name}"), set()).add(patient_id)
    return {patient_id for alike in seen.values() if len(alike) > 1 for patient_id in alike}


def open_by_iin(session: Session, typed: str, reason: str) -> int:
    """Show the region's record with this IIN to the user's organisation; the key of the record.

    Raises the refusals of an IIN, ReasonRequired, PatientNotFound.
    """
    try:
        number = iin.validate(typed)
    except iin.IinError as error:
        raise errors.refusal_of(error) from None
    reason = require_reason(reason, "open_reason")
    found = repository.find_in_region(session, number)
    organisation = scope_of(session).home_organisation_id
    if found is None or organisation is None:
        raise errors.PatientNotFound
    if not found.visible:
        repository.open_person(session, found.id, organisation, reason)
    return found.id
