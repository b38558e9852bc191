"""Facts in, proposed cases out. Nothing is read, nothing is written, no clock is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from kmis.clock import local_date
from signal_sheets.rules.facts import Facts, MaternalFacts
from signal_sheets.rules.models import Proposal, Rule, in_ranges

Details = Mapping[str, str | int]
# Deaths in hospital have a sheet of their own; a person handed over to another hospital is not at home yet.
LEFT_FOR_HOME = frozenset({"discharged", "left"})
# The gravest reason names the case.
GRAVEST = ("eclampsia", "severe_preeclampsia", "transfusion", "intensive_care", "blood_pressure", "chills")


def evaluate(rules: Iterable[Rule], facts: Facts, zone: ZoneInfo) -> list[Proposal]:
    """The cases that the rules propose. A rule counts when it is in force on the local day of its event."""
    found = []
    for rule in rules:
        ask = ASKED.get(rule.trigger)
        proposal = ask(rule, facts) if ask else None
        if proposal is not None and rule.valid_on(local_date(proposal.event_at, zone)):
            found.append(proposal)
    return found


def _discharge(rule: Rule, facts: Facts) -> Proposal | None:
    stay = facts.stay
    if stay is None or stay.discharged_at is None or stay.outcome not in LEFT_FOR_HOME or not facts.alive_flag:
        return None
    if not in_ranges(stay.main_icd10, rule.condition.icd10):
        return None
    details: dict[str, str | int] = {"icd10": stay.main_icd10 or ""}
    if rule.condition.operations:
        operated = [one for one in stay.operations if one.code in rule.condition.operations]
        if not operated:
            return None
        last = max(operated, key=lambda one: (one.at, one.code))
        details |= {"operation": last.code, "operated_at": last.at.isoformat()}
    details["at"] = stay.discharged_at.isoformat()
    reason = next(iter(rule.reasons))
    return Proposal(rule, stay.stay_id, {reason: details}, stay.main_icd10, stay.discharged_at)


def _maternal(rule: Rule, facts: Facts) -> Proposal | None:
    woman = facts.maternal
    if woman is None or not facts.alive_flag:
        return None
    pregnant_by_diagnosis = any(in_ranges(one.code, rule.condition.pregnancy_icd10) for one in woman.diagnoses)
    if woman.state is None and not pregnant_by_diagnosis:
        return None
    found = _dangers(rule, woman)
    if not found:
        return None
    ordered = sorted(found, key=lambda one: GRAVEST.index(one) if one in GRAVEST else len(GRAVEST))
    latest = max(found[reason][0] for reason in ordered)
    codes = [str(found[reason][1]["icd10"]) for reason in ordered if "icd10" in found[reason][1]]
    reasons = {reason: found[reason][1] for reason in ordered}
    return Proposal(rule, woman.stay_id, reasons, codes[0] if codes else None, latest)


def _dangers(rule: Rule, woman: MaternalFacts) -> dict[str, tuple[datetime, Details]]:
    """Each reason with its latest moment and what was seen."""
    wanted = rule.condition
    found: dict[str, tuple[datetime, Details]] = {}
    for reason, ranges in wanted.dangers.items():
        coded = [one for one in woman.diagnoses if in_ranges(one.code, ranges)]
        if coded:
            last = max(coded, key=lambda one: (one.at, one.code))
            found[reason] = last.at, {"icd10": last.code, "at": last.at.isoformat()}
    if wanted.blood_pressure is not None:
        limit = wanted.blood_pressure
        high = [
            one for one in woman.vitals
            if (one.systolic or 0) >= limit.systolic or (one.diastolic or 0) >= limit.diastolic
        ]  # fmt: skip
        if high:
            worst = max(high, key=lambda one: (one.systolic or 0, one.diastolic or 0, one.at))
            found["blood_pressure"] = max(one.at for one in high), {
                "systolic": worst.systolic or 0, "diastolic": worst.diastolic or 0, "at": worst.at.isoformat(),
            }  # fmt: skip
    if "chills" in wanted.causes and (shivering := [one.at for one in woman.vitals if one.chills_flag]):
        found["chills"] = max(shivering), {"at": max(shivering).isoformat()}
    if "transfusion" in wanted.causes and woman.transfusions:
        last_given = max(woman.transfusions, key=lambda one: one.at)
        total = sum(one.volume_ml for one in woman.transfusions)
        found["transfusion"] = last_given.at, {
            "component": last_given.component, "volume_ml": total, "at": last_given.at.isoformat(),
        }  # fmt: skip
    if "intensive_care" in wanted.causes and woman.intensive_care_at:
        moved = max(woman.intensive_care_at)
        found["intensive_care"] = moved, {"at": moved.isoformat()}
    return found


def _death(rule: Rule, facts: Facts) -> Proposal | None:
    death = facts.death
    if death is None or not death.attached_flag:
        return None
    if rule.condition.icd10 and not in_ranges(death.underlying_icd10, rule.condition.icd10):
        return None
    details: Details = {"icd10": death.underlying_icd10, "place": death.place, "at": death.died_at.isoformat()}
    return Proposal(rule, death.death_id, {next(iter(rule.reasons)): details}, death.underlying_icd10, death.died_at)


ASKED: dict[str, Callable[[Rule, Facts], Proposal | None]] = {
    "discharge": _discharge,
    "maternal": _maternal,
    "death": _death,
}
