"""Small things that the screens of signal cases share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import Request

from operational.domains.catalogs.files import kinds
from operational.domains.catalogs.models import CodedValue
from operational.domains.monitoring.signals.words import Language
from operational.web.language import language_of

Option = tuple[str, str]
SELECTABLE = ("opened", "delivered", "seen", "contacted", "visited", "closed", "all")


def language_text(request: Request) -> Language:
    """The language of the screen as the texts of the rules name it."""
    return "kk" if language_of(request) == "kk" else "ru"


def name_of(person: Any, language: Language) -> str:
    """Surname, given name, patronymic of a patient or a practitioner."""
    parts = (person.surname, person.given_name, person.patronymic)
    return " ".join(part for part in parts if part)


def options_of(outcomes: Sequence[CodedValue], language: Language) -> list[Option]:
    """The outcomes that a person chooses; those of the system itself are left out."""
    system = {code for code, kind in kinds("signal_outcome").items() if kind == "system"}
    return [(row.code, row.name_kk if language == "kk" else row.name_ru) for row in outcomes if row.code not in system]
