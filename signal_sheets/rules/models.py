"""A rule of a signal sheet as its data file says it, and a case that a rule proposes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Language = Literal["kk", "ru"]
Event = Literal["visit", "home_call", "pregnancy_visit"]
Range = Annotated[str, StringConstraints(pattern=r"^[A-Z]\d\d(\.\d{1,2})?(-[A-Z]\d\d)?$")]
_CODE = re.compile(r"^[A-Z]\d\d")


class Text(BaseModel):
    """A text in both languages; ``{names}`` are filled from the facts."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kk: str = Field(min_length=1)
    ru: str = Field(min_length=1)

    def of(self, language: Language) -> str:
        return self.kk if language == "kk" else self.ru


class Pressure(BaseModel):
    """The pressure from which a reading is dangerous, in mm Hg; either number is enough."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    systolic: int
    diastolic: int


class Condition(BaseModel):
    """When a rule fires. An empty part says nothing; filled parts must hold together, except for a woman's dangers."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    icd10: tuple[Range, ...] = ()
    operations: tuple[str, ...] = ()
    # A woman in danger: each reason is enough. Keys of ``dangers`` are reasons, values their diagnoses.
    pregnancy_icd10: tuple[Range, ...] = ()
    postpartum_days: int | None = None
    dangers: Mapping[str, tuple[Range, ...]] = Field(default_factory=dict)
    blood_pressure: Pressure | None = None
    # Causes that are not measured: chills, transfusion, intensive_care.
    causes: frozenset[Literal["chills", "transfusion", "intensive_care"]] = frozenset()


class Rule(BaseModel):
    """A rule during a time. ``due_hours`` run from the event; one that becomes known late has ``late_hours`` from
    then."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    code: str
    version: int
    title: Text
    act: Text
    source: str = Field(min_length=5)
    valid_from: date
    valid_to: date | None = None
    trigger: Literal["discharge", "maternal", "death", "history"]
    subject: Literal["hospital_stay", "death", "pregnancy"]
    audience: Literal["site", "obstetrician"]
    severity: Literal["critical", "attention"]
    condition: Condition
    reasons: Mapping[str, Text]
    advice: tuple[str, ...] = Field(min_length=1)
    due_hours: int = Field(gt=0)
    late_hours: int = Field(gt=0)
    task: Text
    closes_on: frozenset[Event] = frozenset()

    @model_validator(mode="after")
    def _whole(self) -> Rule:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"{self.code}: valid_to must be after valid_from")
        fired = set(self.condition.dangers) | self.condition.causes
        fired |= {"blood_pressure"} if self.condition.blood_pressure else set()
        if fired - set(self.reasons):
            raise ValueError(f"{self.code}: reasons without a text")
        if not self.reasons:
            raise ValueError(f"{self.code}: no reason")
        return self

    def valid_on(self, day: date) -> bool:
        """Whether the rule is in force on the day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def due_at(self, event_at: datetime, known_at: datetime) -> datetime:
        """Until when the task has to be done."""
        return max(event_at + timedelta(hours=self.due_hours), known_at + timedelta(hours=self.late_hours))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A case that a rule proposes: why (details per reason, the gravest first), since when, about what."""

    rule: Rule
    subject_id: int
    reasons: Mapping[str, Mapping[str, str | int]]
    icd10: str | None
    event_at: datetime

    @property
    def reason_code(self) -> str:
        return next(iter(self.reasons))


@lru_cache(maxsize=256)
def _bounds(wanted: str) -> tuple[str, str]:
    first, _, last = wanted.partition("-")
    return first, last or first


def in_ranges(code: str | None, ranges: tuple[str, ...]) -> bool:
    """Whether an ICD-10 code lies in one of the ranges. «I21-I22» takes every code of the categories, «I24» every code
    of the category, «I20.0» the code and its subdivisions."""
    if code is None or not _CODE.match(code):
        return False
    for wanted in ranges:
        first, last = _bounds(wanted)
        if "." in first:
            if code == first or (code.startswith(first) and len(code) > len(first)):
                return True
        elif first <= code[:3] <= last:
            return True
    return False
