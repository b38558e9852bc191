"""The rules of signal sheets: each range at its ends, and what holds for any facts."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from signal_sheets.rules import (
    DeathFacts,
    Diagnosis,
    Facts,
    MaternalFacts,
    Operation,
    StayFacts,
    Transfusion,
    Vital,
    advice_texts,
    evaluate,
    in_ranges,
    load_rules,
    rule_of,
)
from signal_sheets.rules.models import Rule

ZONE = ZoneInfo("Asia/Oral")
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DATA = Path(__file__).resolve().parents[2] / "operational" / "domains" / "catalogs" / "data"
KAZAKH = set("әғқңөұүһіӘҒҚҢӨҰҮҺІ")


def left(code: str | None, *operations: str, outcome: str | None = "discharged") -> Facts:
    done = tuple(Operation(operation, AT) for operation in operations)
    return Facts(stay=StayFacts(1, AT if outcome else None, outcome, code, done))


def fired(facts: Facts) -> list[str]:
    return [proposal.rule.code for proposal in evaluate(load_rules(), facts, ZONE)]


def coded(directory: str) -> dict[str, tuple[str, str]]:
    with (DATA / "coded_values.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["directory_code"] == directory]
    return {row["code"]: (row["name_kk"], row["name_ru"]) for row in rows}


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [
        ("SIG-01", ["I20.0", "I21", "I21.0", "I21.9", "I22.0", "I22.9", "I24", "I24.0", "I24.9"],
         ["I20", "I20.1", "I20.8", "I23.0", "I25.0", "I19", "I26"]),
        ("SIG-02", ["I60", "I60.0", "I61.9", "I62.0", "I63.5", "I64"], ["I59", "I65", "I65.0", "I67.9", "I69.3"]),
        ("SIG-03", ["G45", "G45.0", "G45.9"], ["G44.9", "G46.0"]),
    ],
)  # fmt: skip
def test_diagnoses_of_a_discharge_at_their_ends(rule: str, inside: list[str], outside: list[str]) -> None:
    assert [code for code in inside if fired(left(code)) != [rule]] == []
    assert [code for code in outside if rule in fired(left(code))] == []


@pytest.mark.parametrize(
    ("rule", "operation", "inside", "outside"),
    [
        ("SIG-04", "OP05-02", ["I20.0", "I20.9", "I22.1", "I25.0", "I25.9"], ["I19", "I26.0", "I05.0", "J18.9"]),
        ("SIG-05", "OP05-08", ["I05", "I05.0", "I08.9", "I34", "I34.0", "I37.9"],
         ["I04", "I09.0", "I33.0", "I38", "I38.0", "I21.0"]),
    ],
)  # fmt: skip
def test_operated_needs_both_the_diagnosis_and_the_operation(
    rule: str, operation: str, inside: list[str], outside: list[str]
) -> None:
    assert [code for code in inside if rule not in fired(left(code, operation))] == []
    assert [code for code in outside if rule in fired(left(code, operation))] == []
    assert [code for code in inside if rule in fired(left(code))] == []
    assert [code for code in inside if rule in fired(left(code, "OP05-06"))] == []


@pytest.mark.parametrize(
    ("outcome", "expected"), [("discharged", 1), ("left", 1), ("transferred", 0), ("died", 0), (None, 0)]
)
def test_only_who_goes_home_is_on_a_sheet(outcome: str | None, expected: int) -> None:
    assert len(fired(left("I21.0", outcome=outcome))) == expected
    assert fired(replace(left("I21.0"), alive_flag=False)) == []


def test_death_is_on_the_sheet_of_the_attached() -> None:
    death = DeathFacts(1, AT, "street", "X59.9", True)
    assert fired(Facts(alive_flag=False, death=death)) == ["SIG-06"]
    assert fired(Facts(alive_flag=False, death=replace(death, attached_flag=False))) == []


CALM = MaternalFacts(1, "pregnant", diagnoses=(Diagnosis("O80", AT),), vitals=(Vital(AT, 159, 109),))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"vitals": (Vital(AT, 160, 60),)}, "blood_pressure"),
        ({"vitals": (Vital(AT, 120, 110),)}, "blood_pressure"),
        ({"vitals": (Vital(AT, chills_flag=True),)}, "chills"),
        ({"diagnoses": (Diagnosis("O15", AT),)}, "eclampsia"),
        ({"diagnoses": (Diagnosis("O15.9", AT),)}, "eclampsia"),
        ({"diagnoses": (Diagnosis("O14.1", AT),)}, "severe_preeclampsia"),
        ({"transfusions": (Transfusion(AT, "plasma", 250),)}, "transfusion"),
        ({"intensive_care_at": (AT,)}, "intensive_care"),
        ({"diagnoses": (Diagnosis("O14.0", AT),)}, None),
        ({"diagnoses": (Diagnosis("O14.9", AT),)}, None),
        ({"diagnoses": (Diagnosis("O16", AT),)}, None),
        ({"vitals": (Vital(AT),)}, None),
        ({}, None),
    ],
)
def test_dangers_of_a_woman(change: dict[str, object], reason: str | None) -> None:
    found = evaluate(load_rules(), Facts(maternal=replace(CALM, **change)), ZONE)  # type: ignore[arg-type]  # fields by name
    assert [proposal.reason_code for proposal in found] == ([reason] if reason else [])


def test_a_woman_outside_the_register_is_known_by_her_diagnosis_and_another_is_not_meant() -> None:
    high = replace(CALM, state=None, vitals=(Vital(AT, 180, 120),))
    assert fired(Facts(maternal=high)) == ["MAT-CRIT"]
    assert fired(Facts(maternal=replace(high, diagnoses=(Diagnosis("I10", AT),)))) == []
    assert fired(Facts(alive_flag=False, maternal=high)) == []


def test_the_gravest_reason_names_the_case_and_the_latest_dates_it() -> None:
    woman = replace(
        CALM,
        diagnoses=(Diagnosis("O15.0", AT - timedelta(hours=3)),),
        vitals=(Vital(AT - timedelta(hours=2), 200, 120), Vital(AT, 165, 90, True)),
    )
    [proposal] = evaluate(load_rules(), Facts(maternal=woman), ZONE)
    assert list(proposal.reasons) == ["eclampsia", "blood_pressure", "chills"]
    assert proposal.event_at == AT
    assert proposal.reasons["blood_pressure"]["systolic"] == 200
    assert proposal.icd10 == "O15.0"


def test_a_rule_counts_on_the_local_day_of_its_event() -> None:
    rule = rule_of("SIG-01")
    assert rule is not None
    # 19:30 in UTC on the 23rd is half past midnight on the 24th in Oral.
    night = datetime(2026, 11, 23, 19, 30, tzinfo=UTC)
    facts = Facts(stay=StayFacts(1, night, "discharged", "I21.0"))
    from_24 = rule.model_copy(update={"valid_from": date(2026, 11, 24)})
    assert len(evaluate([from_24], facts, ZONE)) == 1
    until_24 = rule.model_copy(update={"valid_to": date(2026, 11, 24)})
    assert evaluate([until_24], facts, ZONE) == []


def test_due_time() -> None:
    rule = rule_of("SIG-01")
    assert rule is not None
    assert rule.due_at(AT, AT) == AT + timedelta(hours=72)
    late = AT + timedelta(days=10)
    assert rule.due_at(AT, late) == late + timedelta(hours=24)


codes = st.builds(
    lambda letter, number, tail: f"{letter}{number:02d}{tail}",
    st.sampled_from("GIJO"), st.integers(0, 99), st.sampled_from(["", ".0", ".1", ".9", ".01"]),
)  # fmt: skip


@given(codes, st.integers(0, 99), st.integers(0, 99))
def test_a_range_holds_exactly_what_lies_between_its_ends(code: str, one: int, other: int) -> None:
    first, last = sorted((one, other))
    inside = code[0] == "I" and first <= int(code[1:3]) <= last
    assert in_ranges(code, (f"I{first:02d}-I{last:02d}",)) == inside


@given(st.one_of(st.none(), codes, st.text(max_size=8)), st.sets(st.sampled_from(["OP05-02", "OP05-08", "OP01-01"])))
def test_any_stay_gets_each_sheet_at_most_once_and_the_same_twice(code: str | None, operations: set[str]) -> None:
    facts = left(code, *sorted(operations))
    found = fired(facts)
    assert len(found) == len(set(found))
    assert found == fired(facts)
    assert set(found) <= {"SIG-01", "SIG-02", "SIG-03", "SIG-04", "SIG-05"}
    assert ("SIG-04" in found) <= ("OP05-02" in operations)


moments = st.integers(0, 500).map(lambda minutes: AT - timedelta(minutes=minutes))
vitals = st.builds(
    Vital,
    moments,
    st.one_of(st.none(), st.integers(40, 300)),
    st.one_of(st.none(), st.integers(20, 200)),
    st.booleans(),
)


@given(st.lists(vitals, max_size=6))
def test_pressure_and_chills_decide_alone(measured: list[Vital]) -> None:
    found = evaluate(load_rules(), Facts(maternal=replace(CALM, vitals=tuple(measured))), ZONE)
    high = any((one.systolic or 0) >= 160 or (one.diastolic or 0) >= 110 for one in measured)
    chills = any(one.chills_flag for one in measured)
    assert bool(found) == (high or chills)
    if found:
        assert ("blood_pressure" in found[0].reasons, "chills" in found[0].reasons) == (high, chills)
        assert found[0].event_at in {one.at for one in measured}


def test_every_rule_says_what_a_case_needs() -> None:
    rules = load_rules()
    assert {rule.code for rule in rules} >= {*(f"SIG-0{number}" for number in range(1, 7)), "MAT-CRIT"}
    for rule in rules:
        texts = [rule.title, rule.task, rule.act, *rule.reasons.values()]
        assert not [text for text in texts if KAZAKH & set(text.ru)], rule.code
        assert [text for text in texts if KAZAKH & set(text.kk)] == texts, rule.code
        assert "verify" in rule.source


def test_advice_stands_in_the_directory_with_the_same_words() -> None:
    assert coded("signal_advice") == {code: (text.kk, text.ru) for code, text in advice_texts().items()}


def test_operations_of_the_rules_are_in_the_directory() -> None:
    with (DATA / "operations.csv").open(encoding="utf-8", newline="") as file:
        known = {row["code"] for row in csv.DictReader(file)}
    assert {code for rule in load_rules() for code in rule.condition.operations} <= known


@pytest.mark.parametrize(
    "change",
    [{"valid_to": date(2009, 1, 1)}, {"advice": ()}, {"due_hours": 0}, {"severity": "huge"}, {"reasons": {}},
     {"condition": {"icd10": ["21"]}}, {"condition": {"causes": ["chills"]}}],
)  # fmt: skip
def test_a_faulty_rule_does_not_load(change: dict[str, object]) -> None:
    rule = rule_of("SIG-01")
    assert rule is not None
    with pytest.raises(ValidationError):
        Rule.model_validate({**rule.model_dump(), **change})


@pytest.mark.requirement("MAT-05")
def test_monitoring_counts_by_the_thresholds_of_the_rule() -> None:
    """The lake's seed repeats what the rule in force says: a case and a figure never disagree."""
    seed = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds" / "maternal_critical_limits.csv"
    with seed.open(encoding="utf-8") as file:
        limits = {row["measure"]: int(row["at_least"]) for row in csv.DictReader(file)}
    rule = rule_of("MAT-CRIT", 1)
    assert rule is not None and rule.condition.blood_pressure is not None
    pressure, days = rule.condition.blood_pressure.model_dump(), rule.condition.postpartum_days
    assert limits == {**pressure, "postpartum_days": days}
