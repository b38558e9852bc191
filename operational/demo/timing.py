"""The time shown: its days are local, its moments are UTC without a zone, as the tables hold them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

SECOND: Final = timedelta(seconds=1)
T = TypeVar("T")


class Timing:
    """From the first day to now."""

    def __init__(self, start: date, now: datetime, zone: ZoneInfo) -> None:
        self.start = start
        self.zone = zone
        self.today = now.astimezone(zone).date()
        self.now = now.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        self._midnights: dict[date, datetime] = {}

    def at(self, day: date, hours: float) -> datetime:
        """The moment so many hours after the local midnight, to the minute."""
        found = self._midnights.get(day)
        if found is None:
            found = datetime.combine(day, time(), self.zone).astimezone(UTC).replace(tzinfo=None)
            self._midnights[day] = found
        return found + timedelta(minutes=round(hours * 60))

    def day(self, moment: datetime) -> date:
        """The local day of a moment."""
        return moment.replace(tzinfo=UTC).astimezone(self.zone).date()

    def past(self, moment: datetime) -> datetime:
        """The moment, or now when it has not come yet."""
        return min(moment, self.now)


def poisson(rng: Random, mean: float) -> int:
    """How many events fall into a time in which ``mean`` are expected."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def weighted(rng: Random, pairs: Sequence[tuple[T, float]]) -> T:
    """One value by weight."""
    return rng.choices([value for value, _ in pairs], [weight for _, weight in pairs])[0]
