"""The reference interval of a test for a person on a day, and what a value means against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from operational.domains.catalogs import repository as catalogs
from operational.domains.catalogs.models import LabReferenceInterval
from operational.domains.orders.rules import rules
from operational.domains.patients.models import Patient

Interpretation = Literal["L", "N", "H", "A"]


@dataclass(frozen=True, slots=True)
class Interval:
    """The usual range; a side that is None is open."""

    low: Decimal | None
    high: Decimal | None
    note: str | None = None


def intervals_for(session: Session, patient: Patient, test_codes: Sequence[str], day: date) -> dict[str, Interval]:
    """The interval of each test for the person's sex and age in days on ``day``; tests without one are left out.

    Without a birth date only intervals for every age are chosen.
    """
    rows = catalogs.lab_intervals(session, test_codes, day)
    pregnant = patient.sex == "F" and is_pregnant(session, patient.id)
    age = (day - patient.birth_date).days if patient.birth_date else None
    found: dict[str, Interval] = {}
    for code in test_codes:
        row = choose([row for row in rows if row.test_code == code], patient.sex, age, pregnant=pregnant)
        if row is not None:
            found[code] = Interval(row.low, row.high, row.note)
    return found


def choose(
    rows: Sequence[LabReferenceInterval], sex: str, age_days: int | None, *, pregnant: bool = False
) -> LabReferenceInterval | None:
    """Of a test's intervals the one that fits best: of the own sex before both, without a note before one with."""
    fitting = [row for row in rows if row.sex in (sex, "U") and _covers(row, age_days) and _rank(row, pregnant) < 9]
    return min(fitting, key=lambda row: (_rank(row, pregnant), row.sex == "U", row.age_from_days * -1), default=None)


def _covers(row: LabReferenceInterval, age_days: int | None) -> bool:
    if age_days is None:
        return row.age_from_days == 0 and row.age_to_days is None
    return row.age_from_days <= age_days and (row.age_to_days is None or age_days < row.age_to_days)


def _rank(row: LabReferenceInterval, pregnant: bool) -> int:
    note = row.note or ""
    if note.startswith(rules().other_population_notes):
        return 9
    if note.startswith(rules().pregnancy_notes):
        return 0 if pregnant else 9
    return 2 if note else 1


def is_pregnant(session: Session, patient_id: int) -> bool:
    """Whether the woman has an open pregnancy, whoever leads it."""
    found = session.execute(text("select exists (select from kmis_open_pregnancy(:id))"), {"id": patient_id})
    return bool(found.scalar_one())


def interpret(value: Decimal, comparator: str | None, interval: Interval | None) -> Interpretation | None:
    """L, N or H; None where there is no interval, or where the comparator leaves it open.

    A value "<5" says that it is below 5: low when the range begins at 5 or above, normal when the range has no lower
    end and reaches 5.
    """
    if interval is None or (interval.low is None and interval.high is None):
        return None
    low, high = interval.low, interval.high
    if comparator in ("<", "<="):
        if low is not None and (value < low or (value == low and comparator == "<")):
            return "L"
        return "N" if low is None and high is not None and value <= high else None
    if comparator in (">", ">="):
        if high is not None and (value > high or (value == high and comparator == ">")):
            return "H"
        return "N" if high is None and low is not None and value >= low else None
    if low is not None and value < low:
        return "L"
    return "H" if high is not None and value > high else "N"
