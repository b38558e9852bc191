"""Seconds from the commit of a signed visit to the figure that counts it: the n-th visit is seen when DASH-01 has grown
by n. What grows it is the caller's; nothing else may, and nothing may lessen it.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from kmis.bench.results import quantile
from kmis.query import QueryError, QueryService, Scope, Selection
from kmis.settings import Settings

GOAL_P95_S = 10.0
GOAL_WORST_S = 60.0
POLL_S = 0.2


class Watch:
    """The figure of one organisation's visits from today on, as its doctor sees it; ``committed`` is told of each."""

    def __init__(self, settings: Settings, user_id: int, organisation_id: int) -> None:
        self.service = QueryService(settings)
        today = self.service.today()
        self._selection = Selection(today, today + timedelta(days=1))
        self._scope = Scope(user_id, frozenset({organisation_id}))
        self._lock = threading.Lock()
        self._committed: list[float] = []
        self.seen: list[float] = []
        self._before = self._figure()

    def committed(self) -> None:
        """A visit was committed just now."""
        with self._lock:
            self._committed.append(time.monotonic())

    @property
    def count(self) -> int:
        """Visits that were committed."""
        return len(self._committed)

    @property
    def unseen(self) -> int:
        """Visits that no figure counts yet."""
        return self.count - len(self.seen)

    @property
    def delays(self) -> list[float]:
        """Seconds from commit to figure of every visit that was seen, in order."""
        return [at - self._committed[place] for place, at in enumerate(self.seen)]

    def quantile(self, share: float) -> float:
        """The delay that ``share`` of the visits did not exceed, in seconds."""
        return quantile(self.delays, share)

    def look(self) -> None:
        """Ask for the figure once. A service that does not answer now has shown nothing."""
        try:
            grown = self._figure() - self._before
        except QueryError:
            return
        now = time.monotonic()
        self.seen.extend([now] * (min(grown, self.count) - len(self.seen)))

    def _figure(self) -> int:
        snapshot = self.service.current().snapshot_id
        return int(self.service.figures("DASH-01", self._selection, self._scope, snapshot).value("visits") or 0)

    def close(self) -> None:
        """Close the query service."""
        self.service.close()
