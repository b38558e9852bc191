"""The list of pregnancies: one query with everything that a row shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from operational.domains.maternity.models import PlannedPregnancyVisit, Pregnancy, PregnancyCare, PregnancyVisit
from operational.domains.organisation.models import Practitioner, Site
from operational.domains.patients import repository as patients
from operational.domains.patients.models import Attachment, Patient
from operational.domains.patients.search import Criteria


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed to; ``trimester_days`` are the edges of the second and the third."""

    today: date
    trimester_days: tuple[int, int]
    organisation_ids: frozenset[int]
    state: str = "open"
    led_flag: bool = True
    trimester: int | None = None
    risk: str = ""
    practitioner_id: int | None = None
    site_id: int | None = None
    overdue_flag: bool = False
    criteria: Criteria | None = None


@dataclass(frozen=True, slots=True)
class PregnancyRow:
    """A pregnancy of the list: whose, who leads it, how many planned visits are overdue, and the newest one held."""

    pregnancy: Pregnancy
    patient: Patient
    care: PregnancyCare | None
    practitioner: Practitioner | None
    overdue: int
    last_visit: datetime | None
    next_due: date | None


def _unheld() -> ColumnElement[bool]:
    held = aliased(PregnancyVisit)
    return and_(
        PlannedPregnancyVisit.pregnancy_id == Pregnancy.id,
        PlannedPregnancyVisit.voided_at.is_(None),
        ~exists().where(
            held.pregnancy_id == Pregnancy.id, held.visit_no == PlannedPregnancyVisit.visit_no,
            held.voided_at.is_(None),
        ),
    )  # fmt: skip


def _overdue(today: date) -> ColumnElement[int]:
    """How many planned visits of an open pregnancy of a living woman are past their last day."""
    counted = (
        select(func.count())
        .select_from(PlannedPregnancyVisit)
        .where(_unheld(), PlannedPregnancyVisit.due_to < today)
        .correlate(Pregnancy)
        .scalar_subquery()
    )
    counts = and_(Pregnancy.ended_on.is_(None), Pregnancy.voided_at.is_(None), Patient.death_date.is_(None))
    return case((counts, counted), else_=0)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state == "open":
        found += [Pregnancy.ended_on.is_(None), Pregnancy.voided_at.is_(None)]
    elif wanted.state == "ended":
        found += [Pregnancy.ended_on.is_not(None), Pregnancy.voided_at.is_(None)]
    elif wanted.state == "voided":
        found.append(Pregnancy.voided_at.is_not(None))
    if wanted.led_flag:
        found.append(PregnancyCare.owner_organisation_id.in_(wanted.organisation_ids))
    if wanted.trimester is not None:
        second, third = wanted.trimester_days
        first_day, last_day = {1: (0, second), 2: (second, third), 3: (third, 10_000)}[wanted.trimester]
        found.append(Pregnancy.last_menstrual_date <= wanted.today - timedelta(days=first_day))
        found.append(Pregnancy.last_menstrual_date > wanted.today - timedelta(days=last_day))
    if wanted.risk:
        found.append(Pregnancy.risk_group == wanted.risk)
    if wanted.practitioner_id is not None:
        found.append(PregnancyCare.practitioner_id == wanted.practitioner_id)
    if wanted.site_id is not None:
        attached = exists().where(
            Attachment.patient_id == Pregnancy.patient_id, Attachment.site_id == wanted.site_id,
            Attachment.valid_from <= wanted.today,
            or_(Attachment.valid_to.is_(None), Attachment.valid_to > wanted.today),
        )  # fmt: skip
        found.append(attached)
    if wanted.overdue_flag:
        found.append(_overdue(wanted.today) > 0)
    if wanted.criteria is not None and not wanted.criteria.empty:
        found.append(patients.matches(wanted.criteria))
    return found


def _joined(query: Any) -> Any:
    """Every list starts from the pregnancy and its woman, with the care of now where there is one."""
    return (
        query.select_from(Pregnancy)
        .join(Patient, Patient.id == Pregnancy.patient_id)
        .outerjoin(PregnancyCare, and_(PregnancyCare.pregnancy_id == Pregnancy.id, PregnancyCare.valid_to.is_(None)))
    )


def pregnancies(
    session: Session, wanted: Wanted, *, sort: str, descending: bool, offset: int, limit: int
) -> tuple[list[PregnancyRow], int]:
    """One page of pregnancies and the count of all that match."""
    conditions = _conditions(wanted)
    total = int(session.scalar(_joined(select(func.count())).where(*conditions)) or 0)
    last = (
        select(func.max(PregnancyVisit.visited_at))
        .where(PregnancyVisit.pregnancy_id == Pregnancy.id, PregnancyVisit.voided_at.is_(None))
        .correlate(Pregnancy)
        .scalar_subquery()
    )
    following = (
        select(func.min(PlannedPregnancyVisit.due_to))
        .where(_unheld(), PlannedPregnancyVisit.due_to >= wanted.today)
        .correlate(Pregnancy)
        .scalar_subquery()
    )
    columns: dict[str, Any] = {
        "due": Pregnancy.expected_delivery_date,
        "patient": Patient.sort_key,
        "registered": Pregnancy.registered_on,
        "risk": case((Pregnancy.risk_group == "high", 0), (Pregnancy.risk_group == "moderate", 1), else_=2),
        "last": last,
        "overdue": _overdue(wanted.today),
    }
    column = columns[sort]
    order = column.desc().nulls_last() if descending else column.asc().nulls_first()
    query = (
        _joined(
            select(Pregnancy, Patient, PregnancyCare, Practitioner, _overdue(wanted.today), last, following)
        )
        .outerjoin(Practitioner, Practitioner.id == PregnancyCare.practitioner_id)
        .where(*conditions)
        .order_by(order, Pregnancy.expected_delivery_date, Pregnancy.id)
        .offset(offset)
        .limit(limit)
    )  # fmt: skip
    rows = [PregnancyRow(r[0], r[1], r[2], r[3], int(r[4]), r[5], r[6]) for r in session.execute(query)]
    return rows, total


def count_open(session: Session, organisation_ids: frozenset[int], practitioner_id: int | None) -> int:
    """Open pregnancies that these organisations lead, of one obstetrician where one is named."""
    query = _joined(select(func.count())).where(
        Pregnancy.ended_on.is_(None),
        Pregnancy.voided_at.is_(None),
        PregnancyCare.owner_organisation_id.in_(organisation_ids),
    )
    if practitioner_id is not None:
        query = query.where(PregnancyCare.practitioner_id == practitioner_id)
    return int(session.scalar(query) or 0)


def sites(session: Session, organisation_ids: frozenset[int], day: date) -> list[Site]:
    """The sites of these organisations on a day."""
    query = (
        select(Site)
        .where(
            Site.organisation_id.in_(organisation_ids), Site.valid_from <= day,
            or_(Site.valid_to.is_(None), Site.valid_to > day),
        )
        .order_by(Site.organisation_id, Site.code)
    )  # fmt: skip
    return list(session.scalars(query))
