"""What home calls tell."""

from __future__ import annotations

from dataclasses import dataclass

from operational.kit.events import Event


@dataclass(frozen=True, slots=True)
class HomeCallDone(Event):
    """A home call or active was performed; ``subject_id`` is the home call."""
