"""What the words of the search box mean."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operational.domains.patients.search import Criteria, normalise_document, normalise_phone, read_criteria

TODAY = date(2026, 11, 24)


@pytest.mark.requirement("REG-02")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", Criteria()),
        ("Өмірбек Әлия", Criteria(name="Өмірбек Әлия")),
        ("850314300013", Criteria(iin="850314300013")),
        ("8503 1430 0013", Criteria(iin="850314300013")),
        ("850314300014", Criteria(iin="850314300014", check_digit_wrong_flag=True)),
        ('үғқі"ңіқққ"і', Criteria(iin="850314300013")),
        ("14.03.1985", Criteria(birth_date=date(1985, 3, 14))),
        ("1985-03-14", Criteria(birth_date=date(1985, 3, 14))),
        ("Иванов 14.03.1985", Criteria(name="Иванов", birth_date=date(1985, 3, 14))),
        ("Иванов 1985", Criteria(name="Иванов", birth_year=1985)),
        ("0013 1985", Criteria(iin_tail="0013", birth_year=1985)),
        ("1985 0013", Criteria(iin_tail="0013", birth_year=1985)),
        ("1985 1990", Criteria(iin_tail="1990", birth_year=1985)),
        ("Иванов 0013", Criteria(name="Иванов", iin_tail="0013")),
        ("87011234567", Criteria(phone="+77011234567")),
        ("+7 701 123-45-67", Criteria(phone="+77011234567")),
        ("8 (701) 123 45 67", Criteria(phone="+77011234567")),
        ("7011234567", Criteria(phone="+77011234567")),
        ("№ 17", Criteria(patient_no=17)),
        ("17", Criteria(patient_no=17)),
        ("1985", Criteria(patient_no=1985)),
        ("N12345678", Criteria(document="N12345678")),
        ("045678901", Criteria(document="045678901")),
        ("32.13.1985", Criteria(name="32.13.1985")),
    ],
)
def test_reading(typed: str, expected: Criteria) -> None:
    assert read_criteria(typed, TODAY) == expected


@given(st.text(max_size=60))
def test_any_text_is_read(typed: str) -> None:
    read_criteria(typed, TODAY)


def test_stored_forms() -> None:
    assert normalise_phone("8 701 123 45 67") == "+77011234567"
    assert normalise_phone("+49 30 901820") == "+4930901820"
    assert normalise_phone("нет") == ""
    assert normalise_document(" n 1234-5678 ") == "N12345678"
