"""The day and the moment as of which a figure that depends on time is told.

The data know nothing after their newest event, so "overdue" and "in the 12th week" are told as of that event, never by
the clock of the reader: one snapshot gives one answer. A period that ended before it is told as of its own end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from kmis.query.contract import Published


@dataclass(frozen=True, slots=True)
class AsOf:
    """``day`` is local; ``moment`` lies in it, or at its end where the period ended earlier."""

    day: date
    moment: datetime


def as_of(published: Published, period_to: date, zone: ZoneInfo) -> AsOf:
    """As of the newest event of the snapshot (its publication where it has none), or of the end of the period."""
    newest = published.event_at or published.published_at
    day = newest.astimezone(zone).date()
    if period_to >= day:
        return AsOf(day, newest)
    return AsOf(period_to, datetime.combine(period_to + timedelta(days=1), time(), zone))
