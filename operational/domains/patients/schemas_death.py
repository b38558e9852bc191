"""What the registration of deaths takes in and gives out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from operational.web.forms import FormMomentOrDay

Place = Literal["hospital", "home", "ambulance", "workplace", "street", "other"]
Maternal = Literal["no", "pregnant", "in_birth", "within_42_days", "within_year", "unknown"]
Code = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]


class DeathFacts(BaseModel):
    """When, where and of what a person died."""

    model_config = ConfigDict(extra="ignore")
    died_at: FormMomentOrDay
    time_known_flag: bool = True
    place: Place
    hospital_organisation_id: int | None = None
    underlying_icd10: Code
    immediate_icd10: Code | None = None
    certificate_number: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] | None = None
    autopsy_flag: bool = False
    maternal: Maternal = "no"
    note: Text | None = None


class RegisterDeath(DeathFacts):
    """The death of a person."""

    patient_id: int


class CorrectDeath(DeathFacts):
    """What the death's row shall say, and why."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class VoidIn(BaseModel):
    """Why a row was entered in error."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class DeathOut(BaseModel):
    """A death as the API gives it."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    patient_id: int
    died_at: datetime
    time_known_flag: bool
    place: Place
    hospital_organisation_id: int | None
    underlying_icd10: str
    immediate_icd10: str | None
    certificate_number: str | None
    autopsy_flag: bool
    maternal: Maternal
    note: str | None
    registered_at: datetime
    voided_at: datetime | None
    void_reason: str | None
