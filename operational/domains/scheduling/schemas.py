"""What the API and the screens accept for schedules and bookings."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from operational.web.forms import FormDate

Code = Annotated[str, Field(min_length=1, max_length=40)]


def _clock_time(value: Any) -> Any:
    """«9.30» and «9:30» are both typed."""
    return value.replace(".", ":") if isinstance(value, str) else value


ClockTime = Annotated[time, BeforeValidator(_clock_time)]


class MakeSchedule(BaseModel):
    """Working time for each chosen weekday between two days; local times of the organisation."""

    model_config = ConfigDict(extra="ignore")
    practitioner_role_id: int
    room_id: int
    date_from: FormDate
    date_to: FormDate
    weekdays: list[Annotated[int, Field(ge=1, le=7)]] = Field(default=[1, 2, 3, 4, 5], min_length=1)
    start_time: ClockTime
    end_time: ClockTime
    slot_minutes: int = Field(default=15, ge=3, le=240)
    capacity: int = Field(default=1, ge=1, le=100)


class Book(BaseModel):
    """One seat of a slot for a patient."""

    model_config = ConfigDict(extra="ignore")
    slot_id: int
    patient_id: int
    service_code: Code | None = None
    booking_channel: Code = "registry"
    financing_source: Code = "gobmp"
    comment: Annotated[str, Field(max_length=500)] | None = None


class Cancel(BaseModel):
    """Why a booking is cancelled."""

    model_config = ConfigDict(extra="ignore")
    cancel_reason: Code


class AppointmentOut(BaseModel):
    """A booking as the API shows it."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    slot_id: int
    seat: int
    patient_id: int
    practitioner_id: int
    status: str
    starts_at: datetime
    ends_at: datetime


class SlotOut(BaseModel):
    """A slot with its free seats."""

    id: int
    practitioner_id: int
    starts_at: datetime
    ends_at: datetime
    free: int
