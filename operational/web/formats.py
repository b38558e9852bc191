"""Dates and numbers as people of the region read them: dd.mm.yyyy, thin spaces, a comma."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

NARROW_SPACE = "\u202f"
TYPED_DAY = "%d.%m.%Y"
TYPED_MOMENT = f"{TYPED_DAY} %H:%M"
MONTHS = {
    "kk": ("қаңтар", "ақпан", "наурыз", "сәуір", "мамыр", "маусым",
           "шілде", "тамыз", "қыркүйек", "қазан", "қараша", "желтоқсан"),
    "ru": ("января", "февраля", "марта", "апреля", "мая", "июня",
           "июля", "августа", "сентября", "октября", "ноября", "декабря"),
}  # fmt: skip
WEEKDAYS = {
    "kk": ("дүйсенбі", "сейсенбі", "сәрсенбі", "бейсенбі", "жұма", "сенбі", "жексенбі"),
    "ru": ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"),
}


@lru_cache(maxsize=8)
def zone(name: str) -> ZoneInfo:
    """The time zone by its IANA name."""
    return ZoneInfo(name)


def local(value: datetime, zone_name: str) -> datetime:
    """The moment on the clock of the zone. A naive value is read as UTC."""
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(zone(zone_name))


def format_date(value: date | datetime | None, zone_name: str) -> str:
    """dd.mm.yyyy; a moment is cut into days in the zone; None is empty."""
    if value is None:
        return ""
    day = local(value, zone_name).date() if isinstance(value, datetime) else value
    return f"{day:%d.%m.%Y}"


def format_time(value: datetime | None, zone_name: str) -> str:
    """HH:MM on the clock of the zone; None is empty."""
    return f"{local(value, zone_name):%H:%M}" if value else ""


def format_moment(value: datetime | None, zone_name: str) -> str:
    """dd.mm.yyyy HH:MM on the clock of the zone; None is empty."""
    return f"{local(value, zone_name):%d.%m.%Y %H:%M}" if value else ""


def format_long_date(value: date | datetime, language: str, zone_name: str) -> str:
    """Day, month by name, year and weekday: «24 қараша 2026, сейсенбі»."""
    day = local(value, zone_name).date() if isinstance(value, datetime) else value
    return f"{day.day} {MONTHS[language][day.month - 1]} {day.year}, {WEEKDAYS[language][day.weekday()]}"


def format_number(value: int | float | Decimal | None, digits: int = 0) -> str:
    """The number rounded half up to `digits` decimals; None (unknown) is a dash, never 0."""
    if value is None:
        return "—"
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return f"{rounded:,f}".replace(",", NARROW_SPACE).replace(".", ",")


def age_in_years(birth: date, on: date) -> int:
    """Completed years of life on the day."""
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def parse_date(text: str) -> date | None:
    """A date typed as dd.mm.yyyy or sent by a date control as yyyy-mm-dd; None when empty.

    Raises ValueError for anything else.
    """
    text = text.strip()
    if not text:
        return None
    return datetime.strptime(text, TYPED_DAY if "." in text else "%Y-%m-%d").date()
