"""Forms of people for the tests of the register."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from kmis import iin
from operational.domains.patients import service
from operational.domains.patients.models import Patient
from operational.domains.patients.schemas import Registration

TODAY = date(2026, 11, 24)
_serials = itertools.count(5000)


def iin_of(born: date, sex: iin.Sex) -> str:
    """A number not used before in this run."""
    start = next(_serials) * 7 % 9000
    return iin.generate_first(born, sex, range(start, start + 9))


def form_of(**values: Any) -> Registration:
    """A citizen whose IIN agrees with the birth date and sex, unless told otherwise."""
    born = values.get("birth_date", date(1990, 5, 12) + timedelta(days=next(_serials)))
    sex: iin.Sex = values.get("sex", "F")
    row: dict[str, Any] = {"surname": "Өмірбек", "given_name": "Әлия", "birth_date": born, "sex": sex}
    if values.get("identity_kind", "citizen") == "citizen" and "iin" not in values:
        row["iin"] = iin_of(born, sex)
    return Registration(**(row | values))


def registered(session: Session, **values: Any) -> Patient:
    """A registered person."""
    return service.register(session, form_of(**({"confirm_not_duplicate": True} | values)), TODAY)
