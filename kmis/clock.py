"""The injected clock. Nothing in KMIS asks the machine for the time in any other way."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Tells the time as an aware datetime in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware datetime")
        self.at = at

    def now(self) -> datetime:
        return self.at.astimezone(UTC)


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """The calendar day of ``at`` in the organisation's zone: the day that every figure counts it in."""
    return at.astimezone(zone).date()
