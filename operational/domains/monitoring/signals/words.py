"""A case in words of one language: what happened, what was advised, what has to be done; for the screen and paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from operational.domains.monitoring.models import SignalCase
from operational.domains.monitoring.signals import repository
from operational.web.formats import format_moment
from operational.web.texts import has_text, translate
from signal_sheets.rules import advice_texts, rule_of

Language = Literal["kk", "ru"]
MOMENTS = frozenset({"at", "operated_at"})
# Values of these details are codes whose words are texts of the screens.
CODED = {"component": "signals.component", "place": "signals.place"}


@dataclass(frozen=True, slots=True)
class Words:
    """What a case says. Nothing in it names the person."""

    title: str
    reasons: Sequence[str]
    advice: Sequence[str]
    task: str
    act: str


class _Known(dict[str, str]):
    """Details of a reason; one that a text asks for and the facts do not hold is a dash."""

    def __missing__(self, key: str) -> str:
        return "—"


def title_of(code: str, language: Language) -> str:
    """The name of a rule; a code that no rule bears any more stands for itself."""
    rule = rule_of(code)
    return rule.title.of(language) if rule else code


def words_of(session: Session, case: SignalCase, language: Language, zone: str) -> Words:
    """The case in words."""
    rule = rule_of(case.rule_code, case.rule_version)
    names = _names(session, case, language)
    reasons = []
    # The store keeps no order of keys; the rule names its reasons from the gravest on.
    order = list(rule.reasons) if rule else []
    known_first = sorted(case.facts.items(), key=lambda one: order.index(one[0]) if one[0] in order else len(order))
    for reason, details in known_first:
        known = _details(details if isinstance(details, dict) else {}, names, language, zone)
        text = rule.reasons[reason].of(language) if rule and reason in rule.reasons else reason
        reasons.append(text.format_map(known))
    texts = advice_texts()
    return Words(
        title=rule.title.of(language) if rule else case.rule_code,
        reasons=reasons,
        advice=[texts[code].of(language) for code in case.advice_codes if code in texts],
        task=rule.task.of(language) if rule else "",
        act=rule.act.of(language) if rule else "",
    )


def _details(details: Mapping[str, Any], names: Mapping[str, str], language: Language, zone: str) -> _Known:
    known = _Known()
    for name, value in details.items():
        if name in MOMENTS:
            known[name] = format_moment(datetime.fromisoformat(str(value)), zone)
        elif name in CODED:
            key = f"{CODED[name]}.{value}"
            known[name] = translate(language, key) if has_text(key) else str(value)
        else:
            known[name] = names.get(str(value), str(value))
    return known


def _names(session: Session, case: SignalCase, language: Language) -> dict[str, str]:
    """Codes of diagnoses and operations in the facts, each as «code name»."""
    details = [part for part in case.facts.values() if isinstance(part, dict)]
    diagnoses = sorted({str(part["icd10"]) for part in details if "icd10" in part})
    operated = sorted({str(part["operation"]) for part in details if "operation" in part})
    rows: dict[str, Any] = {**repository.icd10(session, diagnoses), **repository.operations(session, operated)}
    return {code: f"{code} {_name(row, language)}" for code, row in rows.items()}


def _name(row: Any, language: Language) -> str:
    """The name in the language; where the directory has no Kazakh edition, the Russian one."""
    return str((row.name_kk if language == "kk" else None) or row.name_ru)
