"""Queries of the register. Row-level security and the session's scope bound every one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, cast, func, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from kmis import names
from operational.domains.organisation.models import OrganisationVersion, Site
from operational.domains.patients.models import Attachment, Death, Patient, PatientMerge
from operational.domains.patients.search import Criteria

Reading = Literal["typed", "other_layout", "similar"]
Sort = Literal["name", "birth_date", "patient_no"]
SIMILARITY = 0.5  # least word similarity of a name found by likeness


@dataclass(frozen=True, slots=True)
class Found:
    """What the region's register says of an IIN; ``visible`` to the user's organisations or not."""

    id: int
    surname: str
    given_name: str
    patronymic: str | None
    birth_date: date | None
    sex: str
    visible: bool


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """An attachment with the names of its organisation and site on its first day."""

    attachment: Attachment
    organisation_kk: str
    organisation_ru: str
    site_kk: str
    site_ru: str


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A site that a person can be attached to."""

    id: int
    organisation_id: int
    name_kk: str
    name_ru: str
    organisation_kk: str
    organisation_ru: str


def get(session: Session, patient_id: int, *, lock: bool = False) -> Patient | None:
    """The record by its key."""
    query = select(Patient).where(Patient.id == patient_id)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)


def by_number(session: Session, patient_no: int) -> Patient | None:
    """The record by its number in the register."""
    return session.scalar(select(Patient).where(Patient.patient_no == patient_no))


def many(session: Session, patient_ids: Sequence[int]) -> list[Patient]:
    """The visible records of the keys, in the order of the register's lists."""
    query = select(Patient).where(Patient.id.in_(patient_ids)).order_by(Patient.sort_key, Patient.id)
    return list(session.scalars(query))


def find_in_region(session: Session, iin: str) -> Found | None:
    """The record with the IIN anywhere in the region; the look-up is audited by the database."""
    row = session.execute(text("select * from kmis_find_person(:iin)"), {"iin": iin}).mappings().first()
    return Found(**row) if row else None


def open_person(session: Session, patient_id: int, organisation_id: int, reason: str) -> None:
    """Show a record of the region to an organisation of the scope; the database audits it."""
    values = {"patient": patient_id, "organisation": organisation_id, "reason": reason}
    session.execute(text("select kmis_open_person(:patient, :organisation, :reason)"), values)


def same_person_candidates(session: Session, surname: str, given_name: str, born: date) -> list[Patient]:
    """Live records with the same folded surname and given name, born the same day."""
    query = (
        select(Patient)
        .where(Patient.birth_date == born, Patient.voided_at.is_(None), Patient.merged_into_id.is_(None))
        .where(Patient.name_key.like(_beginning(surname, given_name)))
        .order_by(Patient.id)
        .limit(20)
    )
    return list(session.scalars(query))


def _beginning(surname: str, given_name: str) -> str:
    return f"{names.name_key(surname, given_name)}%"


# --- search ---------------------------------------------------------------------------------------


def search(
    session: Session, criteria: Criteria, *, sort: Sort, descending: bool, offset: int, limit: int
) -> tuple[list[Patient], int, Reading]:
    """One page of the persons that the criteria find, the count of all, and how the name was read.

    The database is made with a collation by code points, so ``sort_key`` gives the order of the alphabet.
    A merged record leads to its survivor. The name is tried as typed, then in the other keyboard layout,
    then by likeness; the first that finds anybody answers.
    """
    for reading, condition in _readings(session, criteria):
        rows, total = _page(session, condition, criteria, reading, sort, descending, offset, limit)
        if total:
            return rows, total, reading
    return [], 0, "typed"


def _readings(session: Session, criteria: Criteria) -> list[tuple[Reading, ColumnElement[bool]]]:
    facts = _facts(criteria)
    if not criteria.name:
        return [("typed", and_(*facts))]
    tiers = names.read_query(criteria.name)
    found: list[tuple[Reading, ColumnElement[bool]]] = [
        ("other_layout" if tier.layout_changed_flag else "typed", and_(*facts, _name(tier))) for tier in tiers
    ]
    if tiers and len(_folded(criteria)) >= 4:
        alike = func.kmis_persons_alike(_folded(criteria), SIMILARITY).column_valued("person_id")
        found.append(("similar", and_(*facts, Patient.id.in_(select(alike)))))
    return found


def matches(criteria: Criteria) -> ColumnElement[bool]:
    """Whether a record fits what was typed, in either keyboard layout; for lists of other domains."""
    readings = [list(reading.like_patterns()) for tier in names.read_query(criteria.name) for reading in tier.readings]
    return and_(*_facts(criteria), *([_named(readings)] if criteria.name else []))


def _folded(criteria: Criteria) -> str:
    return " ".join(names.fold_words(criteria.name))


def _name(tier: names.QueryTier) -> ColumnElement[bool]:
    return _named([list(reading.like_patterns()) for reading in tier.readings])


def _named(readings: list[list[str]]) -> ColumnElement[bool]:
    """Whether the name matches all patterns of one reading; asked of a function that may use the index."""
    found = func.kmis_persons_named(cast(readings, JSONB)).column_valued("person_id")
    return Patient.id.in_(select(found))


def _facts(criteria: Criteria) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [Patient.voided_at.is_(None)]
    if criteria.iin:
        mother = select(Patient.id).where(Patient.iin == criteria.iin)
        newborn = and_(Patient.identity_kind == "newborn", Patient.mother_id.in_(mother))
        found.append(or_(Patient.iin == criteria.iin, newborn))
    if criteria.iin_tail:
        found.append(func.right(Patient.iin, 4) == criteria.iin_tail)
    if criteria.birth_date:
        found.append(Patient.birth_date == criteria.birth_date)
    if criteria.birth_year:
        year = criteria.birth_year
        found.append(Patient.birth_date.between(date(year, 1, 1), date(year, 12, 31)))
    if criteria.phone:
        found.append(Patient.phone == criteria.phone)
    if criteria.document:
        found.append(Patient.document_number == criteria.document)
    if criteria.patient_no is not None:
        number_as_document = Patient.document_number == str(criteria.patient_no)
        found.append(or_(Patient.patient_no == criteria.patient_no, number_as_document))
    return found


def _page(
    session: Session,
    condition: ColumnElement[bool],
    criteria: Criteria,
    reading: Reading,
    sort: Sort,
    descending: bool,
    offset: int,
    limit: int,
) -> tuple[list[Patient], int]:
    if criteria.empty:
        # Everybody: without the grouping of merged records the order comes from the index.
        alone = and_(condition, Patient.merged_into_id.is_(None))
        total = session.scalar(select(func.count()).select_from(Patient).where(alone)) or 0
        everybody = _ordered(select(Patient).where(alone), sort, descending)
        return list(session.scalars(everybody.offset(offset).limit(limit))), total
    person = func.coalesce(Patient.merged_into_id, Patient.id)
    hits = select(person.label("id")).where(condition).distinct().subquery()
    total = session.scalar(select(func.count()).select_from(hits)) or 0
    if not total:
        return [], 0
    query = select(Patient).join(hits, hits.c.id == Patient.id)
    if reading == "similar":
        query = query.order_by(func.word_similarity(_folded(criteria), Patient.name_key).desc())
    return list(session.scalars(_ordered(query, sort, descending).offset(offset).limit(limit))), total


def _ordered(query: Select[Patient], sort: Sort, descending: bool) -> Select[Patient]:
    column: ColumnElement[Any]
    if sort == "name":
        column = Patient.sort_key.expression
    else:
        column = (Patient.birth_date if sort == "birth_date" else Patient.patient_no).expression
    return query.order_by(column.desc().nulls_last() if descending else column.asc().nulls_last(), Patient.id)


def namesakes(session: Session, patients: Sequence[Patient]) -> set[int]:
    """The keys of those of ``patients`` whose surname and given name another live record bears too."""
    beginnings = {p.id: names.name_key(p.surname, p.given_name) for p in patients if p.given_name}
    if not beginnings:
        return set()
    query = (
        select(Patient.id, Patient.name_key)
        .where(_named([[f"{key}%"] for key in sorted(set(beginnings.values()))]))
        .where(Patient.voided_at.is_(None), Patient.merged_into_id.is_(None))
    )
    others = session.execute(query).all()
    return {
        patient_id
        for patient_id, key in beginnings.items()
        if any(other != patient_id and f"{their} ".startswith(f"{key} ") for other, their in others)
    }


# --- merging --------------------------------------------------------------------------------------


def records_of(session: Session, survivor_id: int) -> list[Patient]:
    """The survivor and every record merged into it, the survivor first."""
    query = (
        select(Patient)
        .where(or_(Patient.id == survivor_id, Patient.merged_into_id == survivor_id))
        .order_by(Patient.merged_into_id.is_not(None), Patient.patient_no)
    )
    return list(session.scalars(query))


def merged_into(session: Session, survivor_ids: Sequence[int]) -> list[Patient]:
    """The records merged into any of the survivors."""
    query = select(Patient).where(Patient.merged_into_id.in_(survivor_ids)).order_by(Patient.patient_no)
    return list(session.scalars(query))


def open_merge(session: Session, source_id: int) -> PatientMerge | None:
    """The standing decision that merged the record."""
    return session.scalar(
        select(PatientMerge)
        .where(PatientMerge.source_patient_id == source_id, PatientMerge.separated_at.is_(None))
        .with_for_update()
    )


def merges_of(session: Session, patient_ids: Sequence[int]) -> list[PatientMerge]:
    """Every decision, standing or taken back, that names one of the records; oldest first."""
    return list(
        session.scalars(
            select(PatientMerge)
            .where(
                or_(
                    PatientMerge.source_patient_id.in_(patient_ids),
                    PatientMerge.target_patient_id.in_(patient_ids),
                )
            )
            .order_by(PatientMerge.merged_at, PatientMerge.id)
        )
    )


# --- attachment -----------------------------------------------------------------------------------


def attachments(session: Session, patient_ids: Sequence[int]) -> list[AttachmentRow]:
    """The attachments of the records, newest first."""
    name = OrganisationVersion
    query = (
        select(Attachment, name.name_kk, name.name_ru, Site.name_kk, Site.name_ru)
        .join(Site, Site.id == Attachment.site_id)
        .join(
            name,
            and_(
                name.organisation_id == Attachment.organisation_id,
                name.valid_from <= Attachment.valid_from,
                or_(name.valid_to.is_(None), name.valid_to > Attachment.valid_from),
            ),
            isouter=True,
        )
        .where(Attachment.patient_id.in_(patient_ids))
        .order_by(Attachment.valid_from.desc(), Attachment.id.desc())
    )
    return [
        AttachmentRow(a, kk or "", ru or "", site_kk, site_ru) for a, kk, ru, site_kk, site_ru in session.execute(query)
    ]


def attachments_since(session: Session, patient_id: int, day: date) -> list[Attachment]:
    """The attachments of a record that hold on the day or begin after it."""
    query = (
        select(Attachment)
        .where(Attachment.patient_id == patient_id)
        .where(or_(Attachment.valid_to.is_(None), Attachment.valid_to > day))
        .order_by(Attachment.valid_from)
    )
    return list(session.scalars(query))


def end_attachment(session: Session, attachment: Attachment, day: date) -> None:
    """End an attachment on the day, also one that an organisation outside the scope holds."""
    session.execute(text("select kmis_end_attachment(:attachment, :day)"), {"attachment": attachment.id, "day": day})
    session.expire(attachment)


def sites(session: Session, organisation_ids: Sequence[int], day: date) -> list[SiteRow]:
    """The sites of the organisations on the day."""
    version = OrganisationVersion
    query = (
        select(Site.id, Site.organisation_id, Site.name_kk, Site.name_ru, version.name_kk, version.name_ru)
        .join(version, version.organisation_id == Site.organisation_id)
        .where(Site.organisation_id.in_(organisation_ids), *_holds(Site, day), *_holds(version, day))
        .order_by(version.name_ru, Site.code)
    )
    return [SiteRow(*row) for row in session.execute(query)]


def _holds(table: type[Site] | type[OrganisationVersion], day: date) -> tuple[ColumnElement[bool], ...]:
    return table.valid_from <= day, or_(table.valid_to.is_(None), table.valid_to > day)


# --- data quality ---------------------------------------------------------------------------------


def iin_mismatches(session: Session, *, offset: int, limit: int) -> tuple[list[Patient], int]:
    """Live records whose IIN contradicts birth date or sex and was confirmed with a reason."""
    condition = and_(
        Patient.iin_mismatch_reason.is_not(None),
        Patient.voided_at.is_(None),
        Patient.merged_into_id.is_(None),
    )
    total = session.scalar(select(func.count()).select_from(Patient).where(condition)) or 0
    query = select(Patient).where(condition).order_by(Patient.sort_key, Patient.id)
    return list(session.scalars(query.offset(offset).limit(limit))), total


# --- deaths ---------------------------------------------------------------------------------------


def death(session: Session, key: int, *, lock: bool = False) -> Death | None:
    """A death by its key, also a voided one."""
    query = select(Death).where(Death.id == key)
    return session.scalar(query.with_for_update() if lock else query)


def death_of(session: Session, patient_ids: Sequence[int]) -> Death | None:
    """The standing death of the person whose records these are."""
    return session.scalar(select(Death).where(Death.patient_id.in_(patient_ids), Death.voided_at.is_(None)))


def deaths_of(session: Session, patient_ids: Sequence[int]) -> Sequence[Death]:
    """Every death of the records, voided ones too, newest first."""
    query = select(Death).where(Death.patient_id.in_(patient_ids))
    return session.scalars(query.order_by(Death.registered_at.desc())).all()


def deaths(
    session: Session, criteria: Criteria, *, since: datetime | None, until: datetime | None, place: str,
    descending: bool, by_name: bool, offset: int, limit: int,
) -> tuple[list[tuple[Death, Patient]], int]:  # fmt: skip
    """A page of deaths and their count; ``since`` and ``until`` bound the moment of death."""
    conditions = [] if criteria.empty else [_readings(session, criteria)[0][1]]
    conditions += [Death.died_at >= since] if since else []
    conditions += [Death.died_at < until] if until else []
    conditions += [Death.place == place] if place else []
    query = select(Death, Patient).join(Patient, Patient.id == Death.patient_id).where(*conditions)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    column: ColumnElement[Any] = (Patient.sort_key if by_name else Death.died_at).expression
    ordered = query.order_by(column.desc() if descending else column.asc(), Death.id).offset(offset).limit(limit)
    return [(row[0], row[1]) for row in session.execute(ordered)], total


def organisation_names(session: Session, day: date) -> Sequence[OrganisationVersion]:
    """The organisations of the region on the day, by name."""
    query = select(OrganisationVersion).where(*_holds(OrganisationVersion, day))
    return session.scalars(query.order_by(OrganisationVersion.name_ru)).all()
