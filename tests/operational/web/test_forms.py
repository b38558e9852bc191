"""Moments as people type them and as programs send them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from operational.web.forms import FormMoment, FormMomentOrDay

MOMENT: TypeAdapter[datetime] = TypeAdapter(FormMoment)
MOMENT_OR_DAY: TypeAdapter[datetime] = TypeAdapter(FormMomentOrDay)


def test_a_moment_is_typed_or_sent() -> None:
    assert MOMENT.validate_python("24.11.2026 10:05") == datetime(2026, 11, 24, 10, 5)
    assert MOMENT.validate_python("2026-11-24T10:05") == datetime(2026, 11, 24, 10, 5)
    assert MOMENT.validate_python("2026-11-24T10:05:00.000Z") == datetime(2026, 11, 24, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["99.11.2026 10:05", "24.11.2026", "24.11.2026 25:00", "вчера", ""])
def test_what_is_no_moment_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError):
        MOMENT.validate_python(typed)


def test_a_day_alone_is_its_start_where_that_is_enough() -> None:
    assert MOMENT_OR_DAY.validate_python("24.11.2026") == datetime(2026, 11, 24)
    with pytest.raises(ValidationError):
        MOMENT_OR_DAY.validate_python("99.11.2026")
