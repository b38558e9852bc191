"""Work that many threads bring and one does for all: who waits for a transaction shares the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")
Result = TypeVar("Result")
# A group holds its locks until the last of it is written.
LARGEST = 32


@dataclass(slots=True, eq=False)
class _Entry(Generic[Item, Result]):
    item: Item
    done: bool = False
    result: Result | None = None


@dataclass(slots=True, eq=False)
class _Line(Generic[Item, Result]):
    turn: threading.Lock = field(default_factory=threading.Lock)
    waiting: list[_Entry[Item, Result]] = field(default_factory=list)


class Grouping(Generic[Key, Item, Result]):
    """Hands items of one key to ``work`` together; items of different keys do not wait for each other.

    ``work`` gives one result per item. When it raises, the thread that led gets the error and the others None.
    """

    def __init__(self, work: Callable[[Key, list[Item]], list[Result | None]]) -> None:
        self._work = work
        self._guard = threading.Lock()
        self._lines: dict[Key, _Line[Item, Result]] = {}

    def do(self, key: Key, item: Item) -> Result | None:
        """The result of one item."""
        entry: _Entry[Item, Result] = _Entry(item)
        with self._guard:
            line = self._lines.setdefault(key, _Line())
            line.waiting.append(entry)
        with line.turn:
            while not entry.done:
                with self._guard:
                    group, line.waiting = line.waiting[:LARGEST], line.waiting[LARGEST:]
                try:
                    results = self._work(key, [each.item for each in group])
                    for each, result in zip(group, results, strict=True):
                        each.result = result
                finally:
                    for each in group:
                        each.done = True
        return entry.result
