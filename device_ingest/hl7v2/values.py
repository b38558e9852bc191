"""Single fields of HL7 version 2 as values: times, numbers, ranges, flags (HL7 2.5.1 chapters 2A and 7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Literal
from zoneinfo import ZoneInfo

from device_ingest.hl7v2.errors import malformed

Comparator = Literal["<", "<=", ">=", ">"]
COMPARATORS: dict[str, Comparator] = {"<": "<", "<=": "<=", ">=": ">=", ">": ">", "≤": "<=", "≥": ">="}
Interpretation = Literal["LL", "L", "N", "H", "HH", "A"]
# HL7 table 0078.
FLAGS: dict[str, Interpretation] = {
    "LL": "LL", "L": "L", "N": "N", "H": "H", "HH": "HH", "A": "A", "AA": "A", "<": "L", ">": "H",
}  # fmt: skip
TIME = re.compile(r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\.\d{1,6})?([+-]\d{4})?")
NUMBER = r"[-+]?\d+(?:[.,]\d+)?"
RANGE = re.compile(rf"({NUMBER})\s*(?:-|–|\.\.|:)\s*({NUMBER})")
BOUND = re.compile(rf"(<=|>=|<|>|≤|≥)\s*({NUMBER})")
# The store's numbers have twelve digits before the point.
LARGEST = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Value:
    """The value of an OBX."""

    kind: Literal["numeric", "text", "coded"]
    number: Decimal | None = None
    comparator: Comparator | None = None
    text: str | None = None


def moment(text: str, zone: ZoneInfo, where: str) -> datetime | None:
    """A time stamp (TS), in the installation's zone where it names none. Raises NotAccepted when it is none."""
    text = text.strip()
    if not text or text == '""':
        return None
    found = TIME.fullmatch(text)
    if found is None:
        raise malformed("not a time", where)
    year, month, day, hour, minute, second, _, offset = found.groups()
    try:
        at = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0))
        if offset is None:
            return at.replace(tzinfo=zone)
        shift = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
        return at.replace(tzinfo=timezone(-shift if offset[0] == "-" else shift))
    except ValueError:
        raise malformed("not a time", where) from None


def day(text: str) -> date | None:
    """A date as far as it is one: what a device says of a person is shown, never relied on."""
    try:
        return datetime.strptime(text.strip()[:8], "%Y%m%d").date()
    except ValueError:
        return None


def number(text: str) -> Decimal | None:
    """A number; a decimal comma counts as a point."""
    try:
        found = Decimal(text.strip().replace(",", ".").replace(" ", ""))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < LARGEST else None


def numeric(text: str) -> Value | None:
    """NM, as it should be and as analysers send it: with a comparator before it."""
    text = text.strip()
    bound = BOUND.fullmatch(text)
    found = number(bound.group(2) if bound else text)
    if found is None:
        return Value("text", text=text) if text else None
    return Value("numeric", number=found, comparator=COMPARATORS[bound.group(1)] if bound else None)


def structured(parts: list[str]) -> Value | None:
    """SN: comparator, number, separator, number. Ratios and ranges are texts."""
    comparator, first, separator, second = (part.strip() for part in (*parts, "", "", "", "")[:4])
    if not first:
        return None
    found = number(first)
    if not separator and found is not None and comparator in ("", "=", *COMPARATORS):
        return Value("numeric", number=found, comparator=COMPARATORS.get(comparator))
    return Value("text", text=f"{comparator}{first}{separator}{second}")


def reference_range(text: str) -> tuple[Decimal | None, Decimal | None]:
    """Lowest and highest of a stated range; a range in words is none."""
    text = text.strip()
    found = RANGE.fullmatch(text)
    if found:
        low, high = number(found.group(1)), number(found.group(2))
        return (low, high) if low is None or high is None or low <= high else (None, None)
    bound = BOUND.fullmatch(text)
    if bound is None:
        return None, None
    limit = number(bound.group(2))
    return (None, limit) if COMPARATORS[bound.group(1)] in ("<", "<=") else (limit, None)
