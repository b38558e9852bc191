"""What the rules are told. Moments are aware; codes are those of the directories; no identifier stands here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A diagnosis of a stay and when it was made."""

    code: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation by its code."""

    code: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Vital:
    """One round of measurements; pressure in mm Hg."""

    at: datetime
    systolic: int | None = None
    diastolic: int | None = None
    chills_flag: bool = False


@dataclass(frozen=True, slots=True)
class Transfusion:
    """A transfusion; volume in millilitres."""

    at: datetime
    component: str
    volume_ml: int


@dataclass(frozen=True, slots=True)
class StayFacts:
    """A stay at its discharge. ``main_icd10`` is the final main diagnosis, or the best known in its place."""

    stay_id: int
    discharged_at: datetime | None
    outcome: str | None
    main_icd10: str | None
    operations: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True)
class MaternalFacts:
    """What a stay says of a woman's danger. ``state`` is what the register of pregnancies says; None: nothing."""

    stay_id: int
    state: Literal["pregnant", "postpartum"] | None
    diagnoses: tuple[Diagnosis, ...] = ()
    vitals: tuple[Vital, ...] = ()
    transfusions: tuple[Transfusion, ...] = ()
    intensive_care_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class DeathFacts:
    """A registered death."""

    death_id: int
    died_at: datetime
    place: str
    underlying_icd10: str
    attached_flag: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one person and one event; the rules read the part that they are about."""

    alive_flag: bool = True
    stay: StayFacts | None = None
    maternal: MaternalFacts | None = None
    death: DeathFacts | None = None
