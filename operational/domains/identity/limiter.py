"""A brake on guessing from one network address, kept in memory: its trace is the audit trail."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from threading import Lock

WINDOW = timedelta(minutes=15)
LIMIT = 50  # a whole polyclinic may stand behind one address
ADDRESSES = 10_000


class FailureWindow:
    """Failures per address within the last quarter of an hour."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._failures: dict[str, deque[datetime]] = {}

    def closed(self, address: str, now: datetime) -> bool:
        """Whether the address has failed too often."""
        with self._lock:
            times = self._failures.get(address)
            while times and times[0] <= now - WINDOW:
                times.popleft()
            return times is not None and len(times) >= LIMIT

    def failed(self, address: str, now: datetime) -> None:
        """Count a failure."""
        with self._lock:
            if len(self._failures) >= ADDRESSES:
                self._failures = {key: t for key, t in self._failures.items() if t and t[-1] > now - WINDOW}
            self._failures.setdefault(address, deque(maxlen=LIMIT)).append(now)
