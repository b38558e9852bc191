"""What comes in and goes out of the register: typed values; the rules are in ``service``."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from operational.web.forms import FormDate

IdentityKind = Literal["citizen", "foreigner", "without_papers", "unknown", "newborn"]
Sex = Literal["M", "F", "U"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]


class Demographics(BaseModel):
    """Everything the register keeps of a person."""

    identity_kind: IdentityKind = "citizen"
    iin: str = Field(default="", max_length=40)
    surname: Name = ""
    given_name: Name = ""
    patronymic: Name = ""
    earlier_surnames: list[Name] = Field(default_factory=list, max_length=10)
    birth_date: FormDate | None = None
    sex: Sex = "U"
    document_kind: Line = ""
    document_number: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""
    citizenship: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "KAZ"
    phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""
    address: Line = ""
    residence_kato: Annotated[str, StringConstraints(strip_whitespace=True, max_length=12)] = ""
    urban_flag: bool | None = None
    death_date: FormDate | None = None
    mother_id: int | None = None
    birth_order: int | None = Field(default=None, ge=1, le=9)
    iin_mismatch_reason: Reason = ""


class Registration(Demographics):
    """A new record; ``confirm_not_duplicate`` says that the people of the same name are others."""

    confirm_not_duplicate: bool = False


class Edit(Demographics):
    """Changed demographics with the reason of the change."""

    reason: Reason = ""


class AttachmentIn(BaseModel):
    """Attachment to a site from a day on; what was there before ends that day."""

    site_id: int
    valid_from: FormDate
    reason: Reason = ""


class SearchIn(BaseModel):
    """A search; sent in the body, so that no identifier stands in an address."""

    model_config = ConfigDict(extra="forbid")
    query: str = Field(default="", max_length=200)
    sort: Literal["name", "birth_date", "patient_no"] = "name"
    descending: bool = False
    page: int = Field(default=1, ge=1, le=100_000)
    size: int = Field(default=25, ge=1, le=200)


class MergeIn(BaseModel):
    """Make ``source_id`` one person with ``target_id``, which survives."""

    source_id: int
    target_id: int
    reason: Reason = ""


class SeparateIn(BaseModel):
    """Take a merge back."""

    source_id: int
    reason: Reason = ""


class OpenByIinIn(BaseModel):
    """Open a record of the region that the user's organisation does not see yet."""

    iin: str = Field(max_length=40)
    reason: Reason = ""


class PatientOut(BaseModel):
    """A record as the API gives it."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    patient_no: int
    identity_kind: str
    iin: str | None
    surname: str
    given_name: str
    patronymic: str | None
    earlier_surnames: list[str]
    birth_date: date | None
    sex: str
    phone: str | None
    address: str | None
    death_date: date | None
    merged_into_id: int | None


class PatientPage(BaseModel):
    """One page of a search; ``reading`` says how the text was understood."""

    total: int
    page: int
    reading: Literal["typed", "other_layout", "similar"]
    items: list[PatientOut]


class AttachmentOut(BaseModel):
    """An attachment as the API gives it."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    patient_id: int
    organisation_id: int
    site_id: int
    valid_from: date
    valid_to: date | None
    reason: str | None
