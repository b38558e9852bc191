"""What signal cases tell."""

from __future__ import annotations

from dataclasses import dataclass

from operational.kit.events import Event


@dataclass(frozen=True, slots=True)
class SignalOpened(Event):
    """A case was opened, or opened again; ``subject_id`` is the case, the organisation is the one that answers."""
