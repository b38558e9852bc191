"""What the screens and the API accept for a home call. Times without a zone are of the organisation's clock."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from operational.web.forms import FormMoment

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
Complaint = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=2000)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
Kind = Literal["call", "active"]
Source = Literal["patient", "ambulance", "hospital", "polyclinic", "signal"]
Urgency = Literal["routine", "urgent"]


class CallDetails(BaseModel):
    """What a call says; what is left out is filled by the rule and by the patient's attachment."""

    model_config = ConfigDict(extra="ignore")
    source: Source = "patient"
    urgency: Urgency = "routine"
    called_at: FormMoment | None = None
    due_at: FormMoment | None = None
    complaint: Complaint
    temperature_note: Line = ""
    address: Line = ""
    phone: Phone = ""
    site_id: int | None = None


class RegisterCall(CallDetails):
    """A new call or active of a patient, handed over at once where a practitioner is named."""

    patient_id: int
    kind: Kind = "call"
    practitioner_id: int | None = None


class EditCall(CallDetails):
    """The corrected details of a call."""


class PerformCall(BaseModel):
    """What came of a call."""

    model_config = ConfigDict(extra="ignore")
    performed_at: FormMoment | None = None
    result_note: Note = ""
    encounter_id: int | None = None


class AssignCall(BaseModel):
    """Who goes."""

    practitioner_id: int


class CancelCall(BaseModel):
    """Why a call is cancelled."""

    reason: Note


class CallOut(BaseModel):
    """A call as the API shows it."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    patient_id: int
    owner_organisation_id: int
    site_id: int | None
    kind: str
    source: str
    urgency: str
    status: str
    called_at: datetime
    due_at: datetime
    practitioner_id: int | None
    performed_at: datetime | None
