"""A bounded cache of answers. Answers without personal data only: row lists are never kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

T = TypeVar("T")


class Answers:
    """The newest answers by question; a question names the snapshot, so an answer never grows old."""

    def __init__(self, size: int = 2048) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, object] = OrderedDict()

    def get(self, question: Hashable, answer: Callable[[], T]) -> T:
        """The kept answer, or a fresh one. Two callers at once may both compute it; both get the same."""
        with self._lock:
            if question in self._held:
                self._held.move_to_end(question)
                return cast(T, self._held[question])
        fresh = answer()
        with self._lock:
            self._held[question] = fresh
            while len(self._held) > self._size:
                self._held.popitem(last=False)
        return fresh
