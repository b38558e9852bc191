"""What the screens and the API accept for a pregnancy. Times without a zone are of the organisation's clock."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from operational.web.forms import FormDate, FormMoment

Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
Outcome = Literal["birth", "miscarriage", "abortion", "ectopic", "missed", "mother_died", "left_region"]


def _typed_number(value: Any) -> Any:
    return value.replace(",", ".").strip() if isinstance(value, str) else value


Weight = Annotated[Decimal, BeforeValidator(_typed_number), Field(ge=25, le=300, max_digits=4, decimal_places=1)]


class PregnancyFigures(BaseModel):
    """What a registration knows of the pregnancy."""

    model_config = ConfigDict(extra="ignore")
    last_menstrual_date: FormDate
    gravida: int = Field(ge=1, le=30)
    para: int = Field(ge=0, le=25)
    height_cm: int | None = Field(default=None, ge=100, le=230)
    weight_before_kg: Weight | None = None
    note: Note = ""


class RegisterPregnancy(PregnancyFigures):
    """A woman's enrolment for pregnancy care; without a day it is today, without a practitioner the user leads it."""

    patient_id: int
    registered_on: FormDate | None = None
    practitioner_id: int | None = None
    factors: list[str] = Field(default_factory=list, max_length=50)


class CorrectPregnancy(PregnancyFigures):
    """Corrected figures of a registration, with the reason."""

    reason: Note = ""


class TakeOver(BaseModel):
    """From today the user's organisation leads the pregnancy."""

    model_config = ConfigDict(extra="ignore")
    practitioner_id: int | None = None
    reason: Note = ""


class EndPregnancy(BaseModel):
    """How and when a pregnancy ended."""

    model_config = ConfigDict(extra="ignore")
    ended_on: FormDate
    outcome: Outcome


class HoldVisit(BaseModel):
    """A visit with what was measured; without a number it lies beside the plan."""

    model_config = ConfigDict(extra="ignore")
    visit_no: int | None = None
    visited_at: FormMoment | None = None
    place: Literal["polyclinic", "home", "hospital"] = "polyclinic"
    weight_kg: Weight | None = None
    systolic: int | None = Field(default=None, ge=30, le=350)
    diastolic: int | None = Field(default=None, ge=0, le=250)
    fundal_height_cm: int | None = Field(default=None, ge=0, le=60)
    fetal_heart_rate: int | None = Field(default=None, ge=0, le=260)
    oedema: Literal["none", "legs", "generalised"] | None = None
    proteinuria: Literal["none", "trace", "1+", "2+", "3+"] | None = None
    complaint: Note = ""
    conclusion: Note = ""
    next_visit_on: FormDate | None = None


class CorrectVisit(HoldVisit):
    """A corrected visit, with the reason."""

    reason: Note = ""


class RegisterBirth(BaseModel):
    """One newborn of a delivery. The day of the delivery is the first child's."""

    model_config = ConfigDict(extra="ignore")
    patient_id: int
    born_at: FormMoment
    delivery_date: FormDate | None = None
    birth_order: int = Field(default=1, ge=1, le=9)
    plurality: int = Field(default=1, ge=1, le=9)
    place: Literal["hospital", "home", "ambulance", "other"] = "hospital"
    department_id: int | None = None
    vital_status: Literal["live", "stillborn_antenatal", "stillborn_intranatal"] = "live"
    sex: Literal["M", "F", "U"]
    delivery_mode: Literal["vaginal", "caesarean_planned", "caesarean_emergency", "assisted"] = "vaginal"
    gestation_weeks: int | None = Field(default=None, ge=20, le=45)
    weight_g: int = Field(ge=100, le=9000)
    length_cm: int | None = Field(default=None, ge=15, le=75)
    apgar_1: int | None = Field(default=None, ge=0, le=10)
    apgar_5: int | None = Field(default=None, ge=0, le=10)
    register_child_flag: bool = False


class PregnancyOut(BaseModel):
    """A pregnancy as the API shows it."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    patient_id: int
    registered_on: date
    last_menstrual_date: date
    expected_delivery_date: date
    risk_group: str
    ended_on: date | None
    outcome: str | None


class WrittenOut(BaseModel):
    """The key of what was written."""

    id: int
