"""What the one search box means: name, IIN or its tail, birth date, phone, document, register number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from kmis import iin, names

DATE = re.compile(r"^(\d{1,2})[./-](\d{1,2})[./-](\d{4})$")
ISO_DATE = re.compile(r"^(\d{4})-(\d{2})-(\d{2})$")
PHONE = re.compile(r"^\+?\d{10,15}$")
DOCUMENT = re.compile(r"^(?=(?:\D*\d){5})[^\W_]{6,20}$")
FIRST_YEAR = 1880


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is searched for; every part that is set must hold."""

    name: str = ""
    iin: str | None = None
    iin_tail: str | None = None
    birth_date: date | None = None
    birth_year: int | None = None
    phone: str | None = None
    document: str | None = None
    patient_no: int | None = None
    check_digit_wrong_flag: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing is asked."""
        return self == Criteria()


def normalise_phone(text: str) -> str:
    """A number as it is stored: + and digits; +7 for one of Kazakhstan typed with 8 or no prefix."""
    digits = re.sub(r"\D", "", names.digits_of_kazakh_row(text))
    if text.strip().startswith("+"):
        return f"+{digits}" if digits else ""
    if len(digits) == 11 and digits.startswith("8"):
        digits = f"7{digits[1:]}"
    elif len(digits) == 10:
        digits = f"7{digits}"
    return f"+{digits}" if digits else ""


def normalise_document(text: str) -> str:
    """A document number as it is stored: capitals, no blanks or signs."""
    return re.sub(r"[\W_]", "", text).upper()


def read_criteria(text: str, today: date) -> Criteria:
    """Read the words of the box. ``today`` bounds what may be a year of birth."""
    text = _join_numbers(text.strip())
    words: list[str] = []
    found: dict[str, object] = {}
    fours: list[str] = []
    for word in text.split():
        born = _date(word)
        if born is not None:
            found["birth_date"] = born
        elif (number := _iin(word)) is not None:
            found["iin"] = number
            found["check_digit_wrong_flag"] = not iin.is_valid(number)
        elif word.startswith(("№", "#")) and word[1:].isdecimal():
            found["patient_no"] = int(word[1:])
        elif re.fullmatch(r"\d{4}", word):
            fours.append(word)
        elif PHONE.match(word):
            found["phone"] = normalise_phone(word)
        elif word.isdecimal() and len(word) <= 8:
            found["patient_no"] = int(word)
        elif DOCUMENT.match(word):
            found["document"] = normalise_document(word)
        else:
            words.append(word)
    found |= _read_fours(fours, alone=not words and not found, today=today)
    return Criteria(name=" ".join(words), **found)  # type: ignore[arg-type]  # values are typed by key above


def _join_numbers(text: str) -> str:
    """A phone or an IIN typed in groups is one word."""
    bare = re.sub(r"[\s()-]", "", text)
    if re.fullmatch(r"\+?\d{10,15}", bare):
        return bare
    return re.sub(r"[№#]\s+(?=\d)", "№", text)


def _iin(word: str) -> str | None:
    """Twelve digits, also typed on the digit row of the Kazakh layout."""
    digits = iin.normalise(word)
    return digits if re.fullmatch(r"[0-9]{12}", digits) else None


def _date(word: str) -> date | None:
    try:
        if match := DATE.match(word):
            day, month, year = (int(part) for part in match.groups())
            return date(year, month, day)
        if match := ISO_DATE.match(word):
            year, month, day = (int(part) for part in match.groups())
            return date(year, month, day)
    except ValueError:
        return None
    return None


def _read_fours(fours: list[str], *, alone: bool, today: date) -> dict[str, object]:
    """Four digits: a year of birth beside something else, an IIN's tail beside a year, else a number."""
    if len(fours) == 1 and alone:
        return {"patient_no": int(fours[0])}
    found: dict[str, object] = {}
    for word in fours:
        if "birth_year" not in found and FIRST_YEAR <= int(word) <= today.year:
            found["birth_year"] = int(word)
        else:
            found["iin_tail"] = word
    return found
