"""How a text typed into a directory's search is read: as the beginning of a code, or as words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kmis.names import QueryTier, fold_words, in_other_layout, read_query

# Capital letters of codes that look alike in Cyrillic.
_LOOKALIKE: Final = str.maketrans("АВЕЗКМНОРСТУХІ", "ABE3KMHOPCTYXI")
_ICD10: Final = re.compile(r"([A-Z])(\d{0,2})\.?(\d{0,2})$")
_CODE: Final = re.compile(r"[A-Z]{1,3}[A-Z0-9-]*\d[A-Z0-9-]*$")


@dataclass(frozen=True, slots=True)
class Reading:
    """Code beginnings and word tiers to try in turn, and the folded text for the comparison that forgives typos."""

    codes: tuple[str, ...]
    tiers: tuple[QueryTier, ...]
    folded: str


def read_icd10(text: str) -> Reading:
    """The reading for ICD-10: «а00» typed in Cyrillic or in the wrong layout, with or without the point."""
    return _read(text, tuple(_icd10_codes(text)))


def read_code(text: str) -> Reading:
    """The reading for other directories: a code has a letter and a digit."""
    found = (candidate for candidate in _spellings(text) if _CODE.fullmatch(candidate))
    return _read(text, tuple(dict.fromkeys(found)))


def _read(text: str, codes: tuple[str, ...]) -> Reading:
    return Reading(codes=codes, tiers=read_query(text), folded=" ".join(fold_words(text)))


def _spellings(text: str) -> Iterator[str]:
    typed = text.strip()
    for spelling in (typed, in_other_layout(typed)):
        if spelling:
            yield spelling.upper().translate(_LOOKALIKE)


def _icd10_codes(text: str) -> Iterator[str]:
    for spelling in _spellings(text):
        found = _ICD10.fullmatch(spelling)
        if found:
            letter, category, rest = found.groups()
            yield f"{letter}{category}.{rest}" if rest else f"{letter}{category}"
