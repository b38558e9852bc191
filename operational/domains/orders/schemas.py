"""What the screens and the API accept for orders, results and devices."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Code = Annotated[str, Field(min_length=1, max_length=40)]
Note = Annotated[str, Field(max_length=2000)]


class NewOrder(BaseModel):
    """An order. Times are aware, or on the clock of the organisation; without ``ordered_at`` it is made now."""

    model_config = ConfigDict(extra="ignore")
    patient_id: int
    category: Literal["laboratory", "imaging"]
    encounter_id: int | None = None
    department_id: int | None = None
    performing_organisation_id: int | None = None
    priority: Literal["routine", "urgent", "stat"] = "routine"
    icd10_code: Code | None = None
    clinical_note: Note | None = None
    ordered_at: datetime | None = None
    tests: list[Code] = Field(default_factory=list, max_length=200)
    panels: list[Code] = Field(default_factory=list, max_length=50)
    modality: Code | None = None
    body_part: Code | None = None
    service_code: Code | None = None
    station_aet: Annotated[str, Field(min_length=1, max_length=16)] | None = None
    scheduled_at: datetime | None = None


class Value(BaseModel):
    """One value as it was typed: a number with or without a comparator, a code of the list, or a text."""

    test_code: Code
    value: Annotated[str, Field(max_length=2000)]


class Results(BaseModel):
    """Values of the tests of an order; ``confirm`` makes them final at once."""

    collected_at: datetime | None = None
    conclusion: Annotated[str, Field(max_length=20_000)] | None = None
    values: list[Value] = Field(default_factory=list, max_length=200)
    confirm: bool = False


class Reason(BaseModel):
    """Why something is cancelled, corrected, voided or taken back."""

    reason: Annotated[str, Field(min_length=3, max_length=500)]


class DeviceForm(BaseModel):
    """A device. ``address``: the AE title, or "application|facility" of HL7."""

    model_config = ConfigDict(extra="ignore")
    organisation_id: int
    department_id: int | None = None
    code: Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9_.-]+$")]
    name_kk: Annotated[str, Field(min_length=2, max_length=200)]
    name_ru: Annotated[str, Field(min_length=2, max_length=200)]
    kind: Literal["modality", "analyser", "laboratory_system"]
    protocol: Literal["dicom", "hl7v2"]
    address: Annotated[str, Field(min_length=1, max_length=200)]
    modality: Code | None = None
    charset: Annotated[str, Field(max_length=40)] | None = None


class MappingForm(BaseModel):
    """How a device names a test."""

    model_config = ConfigDict(extra="ignore")
    device_code: Annotated[str, Field(min_length=1, max_length=80)]
    test_code: Code


class OrderOut(BaseModel):
    """An order as the API shows it."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    accession_number: str
    patient_id: int
    category: str
    status: str
    priority: str
    owner_organisation_id: int
    performing_organisation_id: int | None
    modality: str | None
    ordered_at: datetime
    scheduled_at: datetime | None
    completed_at: datetime | None


class ResultOut(BaseModel):
    """A value as the API shows it."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    test_code: str | None
    value_kind: str
    value_number: Decimal | None
    comparator: str | None
    value_text: str | None
    unit: str | None
    reference_low: Decimal | None
    reference_high: Decimal | None
    interpretation: str | None
    status: str


class ReportOut(BaseModel):
    """A report with its values."""

    id: int
    order_id: int | None
    status: str
    results: list[ResultOut]
