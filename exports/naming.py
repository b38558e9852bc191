"""Names of files and of sheets.

A file: ``XLS-22_letalnost_2025-01_<organisation>_<snapshot>.xlsx`` (Latin letters only, so that any mail
gateway and any file system keeps it). A sheet: ``<ID> <short title>``, at most 31 characters, without the
characters that Excel refuses.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

SHEET_CHARACTERS = 31
FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
# BGN/PCGN-like folding for file names; reading back is never needed.
LATIN = {
    "а": "a",
    "ә": "a",
    "б": "b",
    "в": "v",
    "г": "g",
    "ғ": "g",
    "д": "d",
    "е": "e",
    "ё": "e",
    "ж": "zh",
    "з": "z",
    "и": "i",
    "й": "i",
    "к": "k",
    "қ": "k",
    "л": "l",
    "м": "m",
    "н": "n",
    "ң": "n",
    "о": "o",
    "ө": "o",
    "п": "p",
    "р": "r",
    "с": "s",
    "т": "t",
    "у": "u",
    "ұ": "u",
    "ү": "u",
    "ф": "f",
    "х": "h",
    "һ": "h",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "shch",
    "ъ": "",
    "ы": "y",
    "і": "i",
    "ь": "",
    "э": "e",
    "ю": "yu",
    "я": "ya",
}


def slug(text: str, length: int = 40) -> str:
    """Latin letters, digits and hyphens out of any text; ``x`` when nothing is left."""
    latin = "".join(LATIN.get(letter, letter) for letter in text.casefold())
    return re.sub(r"[^a-z0-9]+", "-", latin).strip("-")[:length].strip("-") or "x"


def period_slug(start: date, end: date) -> str:
    """``2025`` for a whole year, ``2025-01`` for a whole month, else both days."""
    after = end + timedelta(days=1)
    if start.day == 1 and after.day == 1:
        months = (after.year - start.year) * 12 + after.month - start.month
        if months == 1:
            return f"{start:%Y-%m}"
        if months == 12 and start.month == 1:
            return f"{start:%Y}"
        return f"{start:%Y-%m}--{end:%Y-%m}"
    return f"{start:%Y-%m-%d}--{end:%Y-%m-%d}" if start != end else f"{start:%Y-%m-%d}"


def file_name(
    product_id: str,
    short_name: str,
    period: tuple[date, date],
    organisation: str,
    snapshot: int,
    extension: str,
) -> str:
    """The file name of an unload or a report."""
    parts = (product_id, slug(short_name), period_slug(*period), slug(organisation), str(snapshot))
    return f"{'_'.join(parts)}.{extension}"


def sheet_name(product_id: str, short_title: str, part: int = 1) -> str:
    """The name of a data sheet; ``part`` counts the sheets of a split list from 1."""
    tail = f" ({part})" if part > 1 else ""
    clean = " ".join(FORBIDDEN.sub(" ", f"{product_id} {short_title}").split())
    return clean[: SHEET_CHARACTERS - len(tail)].strip(" '") + tail
