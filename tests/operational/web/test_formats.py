"""Dates, numbers, lists and forms as people type and read them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from operational.web.formats import (
    age_in_years,
    format_date,
    format_long_date,
    format_moment,
    format_number,
    parse_date,
)
from operational.web.forms import FormDate, FormValues, parse
from operational.web.listing import ListPage, ListRequest

ZONE = "Asia/Oral"


def test_day_is_cut_in_the_zone() -> None:
    late = datetime(2023, 6, 30, 20, 30, tzinfo=UTC)
    assert format_date(late, ZONE) == "01.07.2023"
    assert format_moment(late, ZONE) == "01.07.2023 01:30"
    assert format_date(None, ZONE) == ""


def test_long_date_in_both_languages() -> None:
    day = date(2026, 11, 24)
    assert format_long_date(day, "kk", ZONE) == "24 қараша 2026, сейсенбі"
    assert format_long_date(day, "ru", ZONE) == "24 ноября 2026, вторник"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1234567, 0, "1\u202f234\u202f567"), (0, 0, "0"), (None, 0, "—"), (Decimal("2.345"), 2, "2,35"), (0.5, 0, "1")],
)
def test_number(value: int | None, digits: int, text: str) -> None:
    assert format_number(value, digits) == text


def test_typed_date() -> None:
    assert parse_date("05.02.1990") == parse_date("1990-02-05") == date(1990, 2, 5)
    assert parse_date("  ") is None
    with pytest.raises(ValueError, match=r"format|day|month"):
        parse_date("31.02.1990")


def test_age_counts_completed_years() -> None:
    assert age_in_years(date(2000, 2, 29), date(2026, 2, 28)) == 25
    assert age_in_years(date(2000, 2, 29), date(2026, 3, 1)) == 26


class Visit(BaseModel):
    day: FormDate
    count: int


def test_form_is_parsed_and_names_its_fields() -> None:
    assert parse(Visit, FormValues(day="01.02.2026", count="3")) == Visit(day=date(2026, 2, 1), count=3)
    with pytest.raises(RequestValidationError) as refused:
        parse(Visit, FormValues(day="99.99.2026", count=""))
    found = {error["loc"][-1]: error["type"] for error in refused.value.errors()}
    assert found == {"day": "date_parsing", "count": "missing"}


def test_list_page_counts() -> None:
    page = ListPage(["x"] * 5, 55, ListRequest(page=3, size=25))
    assert (page.pages, page.first, page.last) == (3, 51, 55)
    empty: ListPage[str] = ListPage([], 0, ListRequest())
    assert (empty.pages, empty.first, empty.last) == (1, 0, 0)
    assert ListRequest(sort="drop table").settled(("name", "login")).sort == "name"
