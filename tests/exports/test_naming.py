"""File and sheet names."""

from __future__ import annotations

from datetime import date

import pytest

from exports.naming import file_name, period_slug, sheet_name, slug


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Қаратөбе аудандық ауруханасы", "karatobe-audandyk-auruhanasy"),
        ("Летальность (общая)", "letalnost-obshchaya"),
        ("№ 5 / ү ұ һ і", "5-u-u-h-i"),
        ("///", "x"),
    ],
)
def test_slug_is_latin(text: str, expected: str) -> None:
    assert slug(text) == expected


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2025, 1, 1), date(2025, 1, 31), "2025-01"),
        (date(2024, 2, 1), date(2024, 2, 29), "2024-02"),
        (date(2025, 1, 1), date(2025, 12, 31), "2025"),
        (date(2025, 1, 1), date(2025, 3, 31), "2025-01--2025-03"),
        (date(2025, 1, 5), date(2025, 1, 5), "2025-01-05"),
        (date(2025, 1, 5), date(2025, 2, 3), "2025-01-05--2025-02-03"),
    ],
)
def test_period(first: date, last: date, expected: str) -> None:
    assert period_slug(first, last) == expected


def test_file_name_has_the_agreed_pattern() -> None:
    period = (date(2025, 1, 1), date(2025, 1, 31))
    name = file_name("XLS-22", "letalnost", period, "Қаратөбе АА", 41, "xlsx")
    assert name == "XLS-22_letalnost_2025-01_karatobe-aa_41.xlsx"


def test_sheet_name_is_legal() -> None:
    name = sheet_name("XLS-02", "Тізім [барлығы]: бір/екі?", 12)
    assert len(name) <= 31
    assert name.endswith(" (12)")
    assert not set(name) & set("[]:*?/\\")
