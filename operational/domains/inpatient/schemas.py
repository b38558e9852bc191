"""What the screens and the API of the hospital take in and give out. Times without a zone are local ones."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from operational.domains.patients.schemas_death import Maternal
from operational.web.forms import FormMoment

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=20_000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Zone = Literal["red", "yellow", "green"]
AdmissionType = Literal["planned", "emergency"]
Condition = Literal["satisfactory", "moderate", "severe", "extremely_severe"]
Phase = Literal["admission", "clinical", "final"]
Rank = Literal["main", "complication", "comorbid"]
Result = Literal["recovery", "improvement", "no_change", "worsening", "death"]


def _with_point(value: Any) -> Any:
    return value.replace(",", ".") if isinstance(value, str) else value


Temperature = Annotated[Decimal, BeforeValidator(_with_point), Field(ge=20, le=45, max_digits=3, decimal_places=1)]


class Vitals(BaseModel):
    """Measured values; each may be absent."""

    model_config = ConfigDict(extra="ignore")
    temperature: Temperature | None = None
    pulse: int | None = Field(default=None, ge=0, le=300)
    systolic: int | None = Field(default=None, ge=0, le=350)
    diastolic: int | None = Field(default=None, ge=0, le=250)
    respiratory_rate: int | None = Field(default=None, ge=0, le=120)
    spo2: int | None = Field(default=None, ge=0, le=100)


class Present(Vitals):
    """A person comes or is brought to the admission department, on an emergency or as planned."""

    patient_id: int
    department_id: int
    admission_type: AdmissionType = "emergency"
    arrived_at: FormMoment | None = None
    arrival_channel: Code
    referring_organisation_id: int | None = None
    triage_zone: Zone | None = None
    complaint: Text | None = None
    icd10_code: Code | None = None


class UnknownPerson(BaseModel):
    """A person without papers or speech is registered by sex and looks; the record is corrected later."""

    model_config = ConfigDict(extra="ignore")
    sex: Literal["M", "F", "U"] = "U"
    looks: Line = ""


class Triage(Vitals):
    """The zone and the values it was chosen by; without a zone the rule's is taken."""

    triage_zone: Zone | None = None
    complaint: Text | None = None


class Seen(BaseModel):
    """When the doctor saw the patient, and the diagnosis of the referral or of the examination."""

    model_config = ConfigDict(extra="ignore")
    seen_at: FormMoment | None = None
    icd10_code: Code | None = None


class Admit(BaseModel):
    """The decision to admit: the stay begins, with its first diagnosis and its first bed."""

    model_config = ConfigDict(extra="ignore")
    admitted_at: FormMoment | None = None
    department_id: int
    bed_profile: Code
    ward: Line | None = None
    bed: Line | None = None
    practitioner_id: int
    financing_source: Code = "gobmp"
    icd10_code: Code
    condition: Condition | None = None


class Decide(BaseModel):
    """Any other decision of the admission department."""

    model_config = ConfigDict(extra="ignore")
    decided_at: FormMoment | None = None
    refusal_reason: Code | None = None
    target_organisation_id: int | None = None
    icd10_code: Code | None = None
    note: Text | None = None


class DeathPart(BaseModel):
    """What a death in hospital needs beside its time and place."""

    model_config = ConfigDict(extra="ignore")
    underlying_icd10: Code | None = None
    immediate_icd10: Code | None = None
    certificate_number: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] | None = None
    autopsy_flag: bool = False
    maternal: Maternal = "no"


class DecideDeath(Decide, DeathPart):
    """The person died in the admission department."""


class Move(BaseModel):
    """The patient goes to another department, ward or bed."""

    model_config = ConfigDict(extra="ignore")
    started_at: FormMoment | None = None
    department_id: int
    bed_profile: Code
    ward: Line | None = None
    bed: Line | None = None


class AddDiagnosis(BaseModel):
    """A diagnosis of a phase of the stay."""

    model_config = ConfigDict(extra="ignore")
    phase: Phase = "clinical"
    rank: Rank = "main"
    icd10_code: Code
    established_at: FormMoment | None = None


class Measure(Vitals):
    """A round of measurements for the temperature sheet."""

    measured_at: FormMoment | None = None
    chills_flag: bool = False


class Operate(BaseModel):
    """A surgical operation."""

    model_config = ConfigDict(extra="ignore")
    operation_code: Code
    started_at: FormMoment
    ended_at: FormMoment | None = None
    surgeon_id: int
    urgency: Literal["planned", "urgent", "emergency"]
    anaesthesia: Literal["none", "local", "regional", "general", "combined"]
    complication: Text | None = None
    protocol: Text | None = None


class Transfuse(BaseModel):
    """A transfusion of blood or of a component."""

    model_config = ConfigDict(extra="ignore")
    component: Literal["whole_blood", "red_cells", "plasma", "platelets", "cryoprecipitate", "albumin"]
    volume_ml: int = Field(ge=1, le=10_000)
    blood_group: Literal["O", "A", "B", "AB"]
    rhesus: Literal["+", "-"]
    unit_number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    indication: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=2000)]
    started_at: FormMoment
    ended_at: FormMoment | None = None
    reaction_flag: bool = False
    reaction_note: Text | None = None
    practitioner_id: int


class Discharge(DeathPart):
    """The end of the stay with the epicrisis; signed as it is sent."""

    discharged_at: FormMoment | None = None
    outcome: Literal["discharged", "transferred", "left", "died"]
    treatment_result: Result
    target_organisation_id: int | None = None
    icd10_code: Code
    epicrisis: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=50_000)]
    recommendations: Text | None = None


class ReasonIn(BaseModel):
    """Why something is taken back, corrected or voided."""

    reason: Reason = ""


class PresentationOut(BaseModel):
    """A presentation as the API gives it."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    patient_id: int
    department_id: int
    admission_type: str
    arrived_at: datetime
    arrival_channel: str
    triage_zone: str | None
    seen_at: datetime | None
    decision: str
    decided_at: datetime | None
    refusal_reason: str | None
    target_organisation_id: int | None
    voided_at: datetime | None


class StayOut(BaseModel):
    """A stay as the API gives it."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    patient_id: int
    presentation_id: int | None
    case_number: str
    admission_type: str
    hospital_kind: str
    admitted_at: datetime
    discharged_at: datetime | None
    outcome: str | None
    treatment_result: str | None
    condition: str | None
    practitioner_id: int
    signed_at: datetime | None
    version: int
    voided_at: datetime | None


class PartOut(BaseModel):
    """The key of what was added."""

    id: int
