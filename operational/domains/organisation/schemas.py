"""What the forms and the API of the organisation domain take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

from operational.web.forms import FormDate

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Person = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class MoveStaff(BaseModel):
    """A position that goes on in another department, or as another position, from a day on."""

    department_id: int
    position_code: Code
    specialty_code: Code
    valid_from: FormDate


class AssignSite(BaseModel):
    """Who answers for a site from a day on."""

    practitioner_id: int
    duty: Literal["doctor", "nurse"] = "doctor"
    valid_from: FormDate


class NewStaff(BaseModel):
    """A new person of the staff with a position."""

    surname: Person
    given_name: Person
    patronymic: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    department_id: int
    position_code: Code
    specialty_code: Code
    valid_from: FormDate


class NewDepartment(BaseModel):
    """A new department."""

    code: Code
    kind: Code
    name_kk: Name
    name_ru: Name
    valid_from: FormDate


class NewSite(BaseModel):
    """A new site of primary care."""

    code: Code
    kind: Literal["therapeutic", "paediatric", "general_practice"]
    name_kk: Name
    name_ru: Name
    valid_from: FormDate


class Rename(BaseModel):
    """Another name of an organisation from a day on; its place in the tree stays."""

    name_kk: Name
    name_ru: Name
    valid_from: FormDate
