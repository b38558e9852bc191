"""The rules of signal sheets: facts in, proposed cases out; each rule is a data file beside this one."""

from signal_sheets.rules.engine import evaluate
from signal_sheets.rules.facts import (
    DeathFacts,
    Diagnosis,
    Facts,
    MaternalFacts,
    Operation,
    StayFacts,
    Transfusion,
    Vital,
)
from signal_sheets.rules.loader import advice_texts, load_rules, rule_of, rules_of
from signal_sheets.rules.models import Proposal, Rule, in_ranges

__all__ = [
    "DeathFacts",
    "Diagnosis",
    "Facts",
    "MaternalFacts",
    "Operation",
    "Proposal",
    "Rule",
    "StayFacts",
    "Transfusion",
    "Vital",
    "advice_texts",
    "evaluate",
    "in_ranges",
    "load_rules",
    "rule_of",
    "rules_of",
]
