"""Until when a call is due: the rule as data."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml


@lru_cache(maxsize=1)
def _versions() -> tuple[dict[str, Any], ...]:
    path = Path(__file__).resolve().parent / "rules" / "due.yml"
    return tuple(yaml.safe_load(path.read_text(encoding="utf-8"))["versions"])


def due_at(called_at: datetime, urgency: str, zone: ZoneInfo) -> datetime:
    """The moment until which a call that came then is due. Raises LookupError without a rule of the day."""
    local = called_at.astimezone(zone)
    day = local.date()
    for version in _versions():
        if version["valid_from"] <= day and (version["valid_to"] is None or day < version["valid_to"]):
            break
    else:
        raise LookupError("no rule of due times on the day")
    if urgency == "urgent":
        return called_at + timedelta(minutes=version["urgent_within_minutes"])
    routine = version["routine"]
    late = local.time() >= time.fromisoformat(routine["taken_before"])
    return datetime.combine(day + timedelta(days=late), time.fromisoformat(routine["due_at"]), zone)
