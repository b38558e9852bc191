"""What maternity tells."""

from __future__ import annotations

from dataclasses import dataclass

from operational.kit.events import Event


@dataclass(frozen=True, slots=True)
class PregnancyVisitHeld(Event):
    """A pregnant woman was seen; ``subject_id`` is the pregnancy visit."""


@dataclass(frozen=True, slots=True)
class PregnancyEnded(Event):
    """A pregnancy ended; ``subject_id`` is the pregnancy."""
