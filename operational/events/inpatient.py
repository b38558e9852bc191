"""What the hospital tells."""

from __future__ import annotations

from dataclasses import dataclass

from operational.kit.events import Event


@dataclass(frozen=True, slots=True)
class StayChanged(Event):
    """A stay began, or its diagnoses, department or condition changed; ``subject_id`` is the stay."""


@dataclass(frozen=True, slots=True)
class StayDischarged(Event):
    """A stay ended and was signed, or its discharge was corrected; ``subject_id`` is the stay."""


@dataclass(frozen=True, slots=True)
class StayWithdrawn(Event):
    """A stay was voided, or its discharge was taken back; ``subject_id`` is the stay."""


@dataclass(frozen=True, slots=True)
class VitalSignsTaken(Event):
    """Vital signs were written or corrected; ``subject_id`` is the row of vital signs."""


@dataclass(frozen=True, slots=True)
class TransfusionGiven(Event):
    """Blood was given; ``subject_id`` is the transfusion."""
