"""Numbers of the status page as people read them: bytes, ages, seconds of a pass."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from operational.web.formats import format_number
from operational.web.texts import translate

UNITS = ("B", "KB", "MB", "GB", "TB")
AGES = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def bytes_text(value: float | None, language: str) -> str:
    """Bytes in the unit in which they have at most four figures; None is a dash."""
    if value is None:
        return "—"
    size, unit = abs(float(value)), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    sign = "−" if value < 0 else ""
    digits = 1 if unit >= 2 and size < 100 else 0
    return f"{sign}{format_number(size, digits)} {translate(language, f'status.unit.{UNITS[unit].lower()}')}"


def age_text(seconds: float | None, language: str) -> str:
    """How long ago, in the largest unit that gives at least two of it, else the next; None is a dash."""
    if seconds is None:
        return "—"
    for name, size in AGES:
        if seconds >= 2 * size or size == 1:
            return translate(language, f"status.age.{name}", n=format_number(int(seconds // size)))
    raise AssertionError("the last unit takes everything")


def duration_text(started: datetime, finished: datetime | None, language: str) -> str:
    """How long something took, in seconds."""
    if finished is None:
        return "…"
    seconds = (finished - started).total_seconds()
    return translate(language, "status.age.second", n=format_number(seconds, 1 if seconds < 100 else 0))


def models_of(detail: Mapping[str, object]) -> Mapping[str, int]:
    """Rows by model, out of what a pass noted."""
    models = detail.get("models")
    return models if isinstance(models, dict) else {}
