"""What visits tell."""

from __future__ import annotations

from dataclasses import dataclass

from operational.kit.events import Event


@dataclass(frozen=True, slots=True)
class VisitSigned(Event):
    """A visit was signed; ``subject_id`` is the encounter."""


@dataclass(frozen=True, slots=True)
class VisitVoided(Event):
    """A visit was marked as entered in error; ``subject_id`` is the encounter."""
