"""Reads the rules and the advice out of the data files; a faulty file does not load."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import yaml

from signal_sheets.rules.models import Rule, Text

FOLDER = Path(__file__).parent
ADVICE = FOLDER / "advice.yml"


class RulesFaulty(ValueError):
    """Two versions of a rule hold at once, or a rule gives advice that has no text."""


@lru_cache(maxsize=1)
def advice_texts() -> Mapping[str, Text]:
    """The texts of advice by code, in their order."""
    content = yaml.safe_load(ADVICE.read_text(encoding="utf-8"))
    return MappingProxyType({code: Text.model_validate(text) for code, text in content["advice"].items()})


@lru_cache(maxsize=1)
def load_rules() -> tuple[Rule, ...]:
    """Every version of every rule, by code and version. Raises RulesFaulty or pydantic's ValidationError."""
    files = sorted(path for path in FOLDER.glob("*.yml") if path != ADVICE)
    rules = [Rule.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in files]
    rules.sort(key=lambda rule: (rule.code, rule.version))
    for rule in rules:
        unknown = set(rule.advice) - set(advice_texts())
        if unknown:
            raise RulesFaulty(f"{rule.code}: advice without a text: {', '.join(sorted(unknown))}")
    for one, other in pairwise(rules):
        if one.code == other.code and (one.valid_to is None or one.valid_to > other.valid_from):
            raise RulesFaulty(f"{one.code}: versions {one.version} and {other.version} hold at once")
    return tuple(rules)


def rules_of(trigger: str) -> tuple[Rule, ...]:
    """The rules that an event of this kind asks."""
    return tuple(rule for rule in load_rules() if rule.trigger == trigger)


def rule_of(code: str, version: int | None = None) -> Rule | None:
    """The rule of a code: the version, else the newest; None when there is none."""
    found = [rule for rule in load_rules() if rule.code == code and version in (None, rule.version)]
    return found[-1] if found else None
