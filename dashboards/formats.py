"""Numbers and dates as the region writes them: thin space between thousands, decimal comma, dd.mm.yyyy."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from dashboards.texts import Texts
from kmis.query import MeasureValue

THIN_SPACE = "\u202f"
UNKNOWN = "—"


_MARKUP = re.compile(r"([\\`*_\[\]#$~<>]|:(?=\S))")


def plain(text: str) -> str:
    """The text with everything escaped that Streamlit's Markdown would read as markup."""
    return _MARKUP.sub(r"\\\1", text)


def number(value: float | int | None, decimals: int = 0) -> str:
    """The number rounded half up; None is a dash, never 0."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return UNKNOWN
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return f"{exact:,f}".replace(",", THIN_SPACE).replace(".", ",")


def measure_text(value: MeasureValue, texts: Texts) -> str:
    """A measure with its decimals and, for shares, its percent sign."""
    shown = number(value.value, value.measure.decimals)
    unit = value.measure.unit.text(texts.language)
    return f"{shown}{THIN_SPACE}%" if unit == "%" and value.value is not None else shown


def day(value: date) -> str:
    """dd.mm.yyyy."""
    return f"{value:%d.%m.%Y}"


def moment(value: datetime, zone: ZoneInfo) -> str:
    """dd.mm.yyyy hh:mm:ss on the clock of the zone."""
    return f"{value.astimezone(zone):%d.%m.%Y %H:%M:%S}"


def age(seconds: float, texts: Texts) -> str:
    """How long ago, in the unit that reads best."""
    seconds = max(0.0, seconds)
    if seconds < 90:
        return texts("age.seconds", n=int(seconds))
    if seconds < 5400:
        return texts("age.minutes", n=round(seconds / 60))
    if seconds < 129_600:
        return texts("age.hours", n=round(seconds / 3600))
    return texts("age.days", n=round(seconds / 86_400))
