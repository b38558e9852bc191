"""What the API and the screens accept for a visit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from operational.web.forms import FormDate

Code = Annotated[str, Field(min_length=1, max_length=40)]
Text = Annotated[str, Field(max_length=20_000)]


class StartVisit(BaseModel):
    """Begin a visit, with or without a booking. Times are aware; without one the visit begins now."""

    model_config = ConfigDict(extra="forbid")
    patient_id: int
    appointment_id: int | None = None
    practitioner_role_id: int | None = None
    started_at: datetime | None = None
    place: Literal["polyclinic", "home", "remote"] = "polyclinic"
    visit_reason: Code = "acute_disease"
    visit_kind: Literal["primary", "repeat"] | None = None
    financing_source: Code = "gobmp"


class VisitText(BaseModel):
    """What the doctor writes and chooses; absent fields stay as they are."""

    model_config = ConfigDict(extra="ignore")
    place: Literal["polyclinic", "home", "remote"] | None = None
    visit_reason: Code | None = None
    visit_kind: Literal["primary", "repeat"] | None = None
    financing_source: Code | None = None
    insurance_status: Code | None = None
    outcome: Code | None = None
    complaints: Text | None = None
    anamnesis: Text | None = None
    objective: Text | None = None
    plan: Text | None = None


class AddCondition(BaseModel):
    """A diagnosis by its ICD-10 code."""

    model_config = ConfigDict(extra="ignore")
    icd10_code: Code
    rank: Literal["main", "complication", "comorbid"] = "main"
    verification: Literal["preliminary", "final"] = "final"
    character: Literal["acute", "chronic_first", "chronic_known", "na"] = "na"
    first_in_life_flag: bool = False
    injury_type: Code | None = None


class AddProcedure(BaseModel):
    """A service performed at the visit; its tariff is the directory's on the day."""

    model_config = ConfigDict(extra="ignore")
    service_code: Code
    quantity: int = Field(default=1, ge=1, le=1000)


class AddReferral(BaseModel):
    """A referral to a service or a specialist."""

    model_config = ConfigDict(extra="ignore")
    kind: Code
    service_code: Code | None = None
    specialty_code: Code | None = None
    target_organisation_id: int | None = None
    reason: Annotated[str, Field(min_length=3, max_length=2000)]
    priority: Literal["routine", "urgent"] = "routine"
    valid_until: FormDate | None = None


class Reason(BaseModel):
    """Why something is corrected, voided or taken back."""

    reason: Annotated[str, Field(min_length=3, max_length=500)]
    code: Code | None = None


class VisitOut(BaseModel):
    """A visit as the API shows it."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    patient_id: int
    appointment_id: int | None
    practitioner_id: int
    owner_organisation_id: int
    status: str
    visit_reason: str
    visit_kind: str
    outcome: str | None
    started_at: datetime
    ended_at: datetime | None
    signed_at: datetime | None
    version: int


class PartOut(BaseModel):
    """The key of a part that was added."""

    id: int
