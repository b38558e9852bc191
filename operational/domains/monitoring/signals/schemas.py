"""What people and programs send to signal cases, and what programs get."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from operational.web.forms import FormMoment

Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]


class Told(BaseModel):
    """A note about what was done."""

    note: Note = ""


class Visited(BaseModel):
    """When the patient was seen; unset: now."""

    at: FormMoment | None = None
    note: Note = ""


class Assign(BaseModel):
    """Who answers from now on."""

    practitioner_id: int


class Close(BaseModel):
    """Why a case is closed."""

    outcome: str
    note: Note = ""


class Reason(BaseModel):
    """Why a closed case is opened again."""

    reason: Note = ""


class AskForVisit(BaseModel):
    """An active that the case asks for."""

    due_at: FormMoment | None = None
    note: Note = ""


class OpenSignal(BaseModel):
    """A case that a rule over history proposes. ``reasons`` holds details per reason, the gravest first."""

    model_config = ConfigDict(extra="forbid")
    rule_code: str
    patient_id: int
    subject_id: int
    event_at: AwareDatetime
    origin_organisation_id: int
    icd10_code: str | None = None
    reasons: dict[str, dict[str, str | int]] = Field(min_length=1, max_length=20)
    recommendations: Annotated[str, StringConstraints(max_length=4000)] | None = None


class CaseOut(BaseModel):
    """A case for programs."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    patient_id: int
    owner_organisation_id: int
    rule_code: str
    rule_version: int
    subject: str
    subject_id: int
    severity: str
    audience: str
    reason_code: str
    facts: dict[str, Any]
    advice_codes: list[str]
    icd10_code: str | None
    event_at: datetime
    opened_at: datetime
    due_at: datetime
    site_id: int | None
    practitioner_id: int | None
    nurse_id: int | None
    state: str
    outcome: str | None
    closed_at: datetime | None


class CaseKey(BaseModel):
    """The key of a case."""

    id: int
