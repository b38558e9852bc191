"""What the register of persons tells."""

from __future__ import annotations

from dataclasses import dataclass

from operational.kit.events import Event


@dataclass(frozen=True, slots=True)
class DeathRegistered(Event):
    """A death was registered or corrected; ``subject_id`` is the death."""


@dataclass(frozen=True, slots=True)
class DeathVoided(Event):
    """A death was entered in error; ``subject_id`` is the death."""
