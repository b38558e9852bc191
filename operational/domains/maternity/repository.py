"""Queries on pregnancies and their parts. Row-level security narrows each to what the acting user may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from operational.domains.catalogs.models import CodedValue
from operational.domains.maternity.models import (
    Birth,
    PlannedPregnancyVisit,
    Pregnancy,
    PregnancyCare,
    PregnancyRiskFactor,
    PregnancyVisit,
)
from operational.domains.organisation.models import (
    Department,
    OrganisationVersion,
    Practitioner,
    PractitionerRole,
)
from operational.domains.patients.models import Patient

POSTPARTUM = timedelta(days=42)


@dataclass(frozen=True, slots=True)
class LedPregnancy:
    """A pregnancy with the care that holds: which organisation leads it, and which obstetrician."""

    pregnancy: Pregnancy
    care: PregnancyCare | None
    practitioner: Practitioner | None

    @property
    def organisation_id(self) -> int | None:
        return self.care.owner_organisation_id if self.care else None

    @property
    def practitioner_id(self) -> int | None:
        return self.care.practitioner_id if self.care else None


@dataclass(frozen=True, slots=True)
class OpenElsewhere:
    """An open pregnancy of a person, whoever leads it."""

    pregnancy_id: int
    organisation_id: int | None


def patient(session: Session, key: int) -> Patient | None:
    return session.get(Patient, key)


def lock_person(session: Session, survivor_id: int) -> None:
    """Let registrations of one person's pregnancies wait for each other until the transaction ends."""
    session.execute(text("select pg_advisory_xact_lock(hashtext('pregnancy'), (:key % 2147483647)::int)"),
                    {"key": survivor_id})  # fmt: skip


def open_in_region(session: Session, patient_id: int) -> OpenElsewhere | None:
    """The person's open pregnancy anywhere in the region; the database answers for visible persons only."""
    query = text("select pregnancy_id, organisation_id from kmis_open_pregnancy(:patient)")
    row = session.execute(query, {"patient": patient_id}).mappings().first()
    return OpenElsewhere(**row) if row else None


def take_over(
    session: Session, pregnancy_id: int, organisation_id: int, practitioner_id: int | None, day: date, reason: str
) -> None:
    """From the day on the organisation leads the pregnancy; the database audits it."""
    values = {"key": pregnancy_id, "organisation": organisation_id, "practitioner": practitioner_id, "day": day,
              "reason": reason}  # fmt: skip
    query = text("select kmis_take_over_pregnancy(:key, :organisation, :practitioner, :day, :reason)")
    session.execute(query, values)


def _of_person(patient_id: int) -> ColumnElement[bool]:
    """Rows of every record that is one person with this one."""
    known, record = aliased(Patient), aliased(Patient)
    root = select(func.coalesce(known.merged_into_id, known.id)).where(known.id == patient_id).scalar_subquery()
    records = select(record.id).where(or_(record.id == root, record.merged_into_id == root))
    return Pregnancy.patient_id.in_(records)


def open_pregnancy_of(session: Session, patient_id: int) -> LedPregnancy | None:
    """The person's open pregnancy that the scope sees, with the care of now; the earliest when there are two."""
    return _led(session, _of_person(patient_id), Pregnancy.ended_on.is_(None), order=Pregnancy.registered_on.asc())


def other_open(session: Session, pregnancy: Pregnancy) -> int | None:
    """Another open pregnancy of the same person: two records were merged that each had one."""
    return session.scalar(
        select(Pregnancy.id)
        .where(
            _of_person(pregnancy.patient_id), Pregnancy.id != pregnancy.id, Pregnancy.ended_on.is_(None),
            Pregnancy.voided_at.is_(None),
        )
        .limit(1)
    )  # fmt: skip


def pregnancy_at(
    session: Session, patient_id: int, at: datetime, postpartum_days: int = POSTPARTUM.days
) -> LedPregnancy | None:
    """The person's pregnancy at a moment or ended at most ``postpartum_days`` before it, with the care of now."""
    day = at.date()
    return _led(
        session, _of_person(patient_id), Pregnancy.last_menstrual_date <= day + timedelta(days=1),
        or_(Pregnancy.ended_on.is_(None), Pregnancy.ended_on >= day - timedelta(days=postpartum_days)),
        order=Pregnancy.last_menstrual_date.desc(),
    )  # fmt: skip


def _led(session: Session, *conditions: ColumnElement[bool], order: Any) -> LedPregnancy | None:
    row = session.execute(
        select(Pregnancy, PregnancyCare, Practitioner)
        .outerjoin(PregnancyCare, CURRENT)
        .outerjoin(Practitioner, Practitioner.id == PregnancyCare.practitioner_id)
        .where(Pregnancy.voided_at.is_(None), *conditions)
        .order_by(order, Pregnancy.id)
        .limit(1)
    ).first()
    return LedPregnancy(row[0], row[1], row[2]) if row else None


CURRENT = and_(PregnancyCare.pregnancy_id == Pregnancy.id, PregnancyCare.valid_to.is_(None))


def pregnancy(session: Session, key: int, *, lock: bool = False) -> Pregnancy | None:
    query = select(Pregnancy).where(Pregnancy.id == key)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True) if lock else query)


def current_care(session: Session, pregnancy_id: int) -> PregnancyCare | None:
    query = select(PregnancyCare).where(PregnancyCare.pregnancy_id == pregnancy_id, PregnancyCare.valid_to.is_(None))
    return session.scalar(query)


def care_history(session: Session, pregnancy_id: int) -> Sequence[tuple[PregnancyCare, Practitioner | None]]:
    """Who led the pregnancy in turn, the newest first."""
    rows = session.execute(
        select(PregnancyCare, Practitioner)
        .outerjoin(Practitioner, Practitioner.id == PregnancyCare.practitioner_id)
        .where(PregnancyCare.pregnancy_id == pregnancy_id)
        .order_by(PregnancyCare.valid_from.desc(), PregnancyCare.id.desc())
    )
    return [(row[0], row[1]) for row in rows]


def organisation_names(session: Session, keys: Sequence[int], day: date) -> dict[int, OrganisationVersion]:
    """Names of organisations on a day."""
    rows = session.scalars(
        select(OrganisationVersion).where(
            OrganisationVersion.organisation_id.in_(keys), OrganisationVersion.valid_from <= day,
            or_(OrganisationVersion.valid_to.is_(None), OrganisationVersion.valid_to > day),
        )
    )  # fmt: skip
    return {row.organisation_id: row for row in rows}


def factors(session: Session, pregnancy_id: int, *, lock: bool = False) -> Sequence[PregnancyRiskFactor]:
    """The risk factors that stand, in the order they were found."""
    query = (
        select(PregnancyRiskFactor)
        .where(PregnancyRiskFactor.pregnancy_id == pregnancy_id, PregnancyRiskFactor.voided_at.is_(None))
        .order_by(PregnancyRiskFactor.found_on, PregnancyRiskFactor.id)
    )
    return session.scalars(query.with_for_update() if lock else query).all()


def factor(session: Session, pregnancy_id: int, key: int) -> PregnancyRiskFactor | None:
    return session.scalar(
        select(PregnancyRiskFactor).where(
            PregnancyRiskFactor.id == key, PregnancyRiskFactor.pregnancy_id == pregnancy_id
        )
    )


def planned(session: Session, pregnancy_id: int) -> Sequence[PlannedPregnancyVisit]:
    """The plan of a pregnancy, in the order of its numbers."""
    return session.scalars(
        select(PlannedPregnancyVisit)
        .where(PlannedPregnancyVisit.pregnancy_id == pregnancy_id)
        .order_by(PlannedPregnancyVisit.visit_no)
    ).all()


def visits(
    session: Session, pregnancy_id: int, *, voided: bool = False
) -> Sequence[tuple[PregnancyVisit, Practitioner]]:
    """The visits of a pregnancy, the newest first; on demand with those entered in error."""
    rows = session.execute(
        select(PregnancyVisit, Practitioner)
        .join(Practitioner, Practitioner.id == PregnancyVisit.practitioner_id)
        .where(PregnancyVisit.pregnancy_id == pregnancy_id)
        .where(*(() if voided else (PregnancyVisit.voided_at.is_(None),)))
        .order_by(PregnancyVisit.visited_at.desc(), PregnancyVisit.id.desc())
    )
    return [(row[0], row[1]) for row in rows]


def visit(session: Session, pregnancy_id: int, key: int, *, lock: bool = False) -> PregnancyVisit | None:
    query = select(PregnancyVisit).where(PregnancyVisit.id == key, PregnancyVisit.pregnancy_id == pregnancy_id)
    return session.scalar(query.with_for_update() if lock else query)


def births(session: Session, pregnancy_id: int) -> Sequence[Birth]:
    """The newborns of a pregnancy's delivery, also those entered in error."""
    return session.scalars(
        select(Birth).where(Birth.pregnancy_id == pregnancy_id).order_by(Birth.delivery_date, Birth.birth_order)
    ).all()


def births_near(session: Session, patient_id: int, day: date, around: timedelta) -> Sequence[Birth]:
    """The standing births of a mother whose delivery began at most ``around`` before or after the day."""
    return session.scalars(
        select(Birth)
        .where(
            Birth.patient_id == patient_id,
            Birth.voided_at.is_(None),
            Birth.delivery_date.between(day - around, day + around),
        )
        .order_by(Birth.delivery_date, Birth.birth_order)
    ).all()


def pregnancy_for_birth(session: Session, patient_id: int, day: date, around: timedelta) -> Pregnancy | None:
    """The person's pregnancy that was open on the day, or ended by a birth around it."""
    return session.scalar(
        select(Pregnancy)
        .where(
            _of_person(patient_id),
            Pregnancy.voided_at.is_(None),
            Pregnancy.last_menstrual_date <= day,
            or_(
                Pregnancy.ended_on.is_(None),
                and_(Pregnancy.outcome == "birth", Pregnancy.ended_on.between(day - around, day + around)),
            ),
        )
        .order_by(Pregnancy.last_menstrual_date.desc())
        .limit(1)
    )


def birth(session: Session, key: int, *, lock: bool = False) -> Birth | None:
    query = select(Birth).where(Birth.id == key)
    return session.scalar(query.with_for_update() if lock else query)


def role_on(
    session: Session, practitioner_id: int, organisation_ids: frozenset[int], day: date
) -> PractitionerRole | None:
    """The practitioner's newest position on a day in one of the organisations."""
    return session.scalar(
        select(PractitionerRole)
        .where(
            PractitionerRole.practitioner_id == practitioner_id,
            PractitionerRole.organisation_id.in_(organisation_ids),
            PractitionerRole.valid_from <= day,
            or_(PractitionerRole.valid_to.is_(None), PractitionerRole.valid_to > day),
        )
        .order_by(PractitionerRole.valid_from.desc())
        .limit(1)
    )


def obstetricians(session: Session, organisation_ids: frozenset[int], day: date) -> Sequence[Practitioner]:
    """The obstetricians and general practitioners who lead pregnancies in these organisations on a day."""
    return session.scalars(
        select(Practitioner)
        .join(PractitionerRole, PractitionerRole.practitioner_id == Practitioner.id)
        .where(
            PractitionerRole.organisation_id.in_(organisation_ids),
            PractitionerRole.valid_from <= day,
            or_(PractitionerRole.valid_to.is_(None), PractitionerRole.valid_to > day),
            PractitionerRole.specialty_code.in_(("obstetrics", "general_practice", "midwifery")),
        )
        .order_by(Practitioner.sort_key, Practitioner.id)
        .distinct()
    ).all()


def departments(session: Session, organisation_id: int | None, day: date) -> Sequence[Department]:
    return session.scalars(
        select(Department)
        .where(
            Department.organisation_id == organisation_id,
            Department.valid_from <= day,
            or_(Department.valid_to.is_(None), Department.valid_to > day),
        )
        .order_by(Department.code)
    ).all()


def practitioner(session: Session, key: int) -> Practitioner | None:
    return session.get(Practitioner, key)


def department(session: Session, key: int) -> Department | None:
    return session.get(Department, key)


def coded_values(session: Session, directory: str) -> Sequence[CodedValue]:
    return session.scalars(
        select(CodedValue)
        .where(CodedValue.directory_code == directory, CodedValue.active)
        .order_by(CodedValue.sort_order, CodedValue.code)
    ).all()


def pregnancies_of(session: Session, patient_ids: Sequence[int]) -> Sequence[Pregnancy]:
    """The pregnancies of these records, the newest first."""
    return session.scalars(
        select(Pregnancy).where(Pregnancy.patient_id.in_(patient_ids)).order_by(Pregnancy.registered_on.desc())
    ).all()


def visits_of(
    session: Session, patient_ids: Sequence[int], *, limit: int
) -> Sequence[tuple[PregnancyVisit, Practitioner]]:
    """The newest pregnancy visits of these records."""
    rows = session.execute(
        select(PregnancyVisit, Practitioner)
        .join(Practitioner, Practitioner.id == PregnancyVisit.practitioner_id)
        .where(PregnancyVisit.patient_id.in_(patient_ids))
        .order_by(PregnancyVisit.visited_at.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def births_of(session: Session, patient_ids: Sequence[int]) -> Sequence[Birth]:
    """The births of these mothers, the newest first."""
    return session.scalars(
        select(Birth).where(Birth.patient_id.in_(patient_ids)).order_by(Birth.born_at.desc(), Birth.birth_order)
    ).all()


def count_of(session: Session, patient_ids: Sequence[int]) -> int:
    """How many entries these records have on the card."""
    return sum(
        int(session.scalar(select(func.count()).select_from(model).where(model.patient_id.in_(patient_ids))) or 0)
        for model in (Pregnancy, PregnancyVisit, Birth)
    )
