"""Signal cases as the rules of ``signal_sheets`` propose them, and what has been done about each by now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final

from operational.demo.attaching import Register
from operational.demo.hospital import Coming
from operational.demo.region import Post, Region
from operational.demo.schema import Store
from operational.demo.timing import Timing, weighted
from signal_sheets.rules import Proposal, evaluate, rules_of
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

ENDS: Final = (("visited", 82.0), ("contacted", 8.0), ("hospitalised", 4.0), ("moved_away", 3.0), ("refused", 3.0))
FORGOTTEN: Final = 0.05
# How long after the opening a case is still being worked on.
FRESH: Final = timedelta(days=6)
VACANT: Final = timedelta(days=12)


@dataclass(frozen=True, slots=True)
class Answers:
    """Who answers for a case."""

    organisation: int
    site: int | None
    practitioner: int | None
    nurse: int | None
    user: int | None


class SignalWriter:
    """Writes cases with their events; the stays, deaths and pregnancies must be there."""

    def __init__(self, rng: Random, store: Store, register: Register, region: Region, timing: Timing) -> None:
        self.rng = rng
        self.store = store
        self.register = register
        self.region = region
        self.timing = timing
        self.nurses: dict[int, list[tuple[int, date, date | None]]] = {}
        for row in store.site_assignment.rows:
            if row[3] == "nurse":
                self.nurses.setdefault(row[1], []).append((row[2], row[4], row[5]))
        self.cases: list[tuple[datetime, Proposal, Answers, int, int, str | None]] = []

    def run(self, stays: Sequence[tuple[int, Coming]], deaths: dict[int, int]) -> None:
        """All cases in the order of their opening."""
        operations = _by_stay(self.store.stay_operation)
        vitals, given = _by_stay(self.store.vital_sign), _by_stay(self.store.transfusion)
        moves, diagnoses = _by_stay(self.store.ward_movement), _by_stay(self.store.stay_diagnosis)
        for key, coming in stays:
            self._of_discharge(key, coming, operations.get(key, []))
            if "pregnancy" in coming.tags:
                self._of_woman(
                    key, coming, diagnoses.get(key, []), vitals.get(key, []), given.get(key, []), moves.get(key, [])
                )
        for person, key in deaths.items():
            self._of_death(person, key)
        for opened, proposal, answers, person, origin, advice in sorted(self.cases, key=lambda c: (c[0], c[3])):
            self._write(opened, proposal, answers, person, origin, advice)

    # --- what the rules say ----------------------------------------------------------------------------------

    def _of_discharge(self, key: int, coming: Coming, operations: list[dict[str, Any]]) -> None:
        if coming.discharged is None:
            return
        facts = Facts(
            stay=StayFacts(
                key, _aware(coming.discharged), coming.outcome, coming.illness.icd10,
                tuple(Operation(row["operation_code"], _aware(row["started_at"])) for row in operations),
            )
        )  # fmt: skip
        for proposal in evaluate(rules_of("discharge"), facts, self.timing.zone):
            self._propose(
                proposal, coming.person, coming.discharged + timedelta(minutes=self.rng.randint(5, 180)),
                self.region.organisations[coming.organisation],
                self.store.hospital_stay.value(key, "recommendations"),
            )  # fmt: skip

    def _of_woman(
        self, key: int, coming: Coming, diagnoses: list[dict[str, Any]], vitals: list[dict[str, Any]],
        given: list[dict[str, Any]], moves: list[dict[str, Any]],
    ) -> None:  # fmt: skip
        facts = Facts(
            maternal=MaternalFacts(
                key, "pregnant", tuple(Diagnosis(r["icd10_code"], _aware(r["established_at"])) for r in diagnoses),
                tuple(Vital(_aware(r["measured_at"]), r["systolic"], r["diastolic"], r["chills_flag"]) for r in vitals),
                tuple(Transfusion(_aware(r["started_at"]), r["component"], r["volume_ml"]) for r in given),
                tuple(_aware(r["started_at"]) for r in moves if r["bed_profile"] == "intensive_care"),
            )
        )  # fmt: skip
        for proposal in evaluate(rules_of("maternal"), facts, self.timing.zone):
            at = proposal.event_at.astimezone(UTC).replace(tzinfo=None)
            self._propose(
                proposal, coming.person, at + timedelta(minutes=1), self.region.organisations[coming.organisation], None
            )

    def _of_death(self, person: int, key: int) -> None:
        table = self.store.death
        at, registered = table.value(key, "died_at"), table.value(key, "registered_at")
        attached = self.register.site_on(person, self.timing.day(at)) is not None
        facts = Facts(
            death=DeathFacts(key, _aware(at), table.value(key, "place"), table.value(key, "underlying_icd10"), attached)
        )
        for proposal in evaluate(rules_of("death"), facts, self.timing.zone):
            self._propose(proposal, person, registered, table.value(key, "owner_organisation_id"), None)

    def _propose(self, proposal: Proposal, person: int, opened: datetime, origin: int, advice: str | None) -> None:
        opened = self.timing.past(opened.replace(second=0, microsecond=0))
        answers = self._who(proposal, person, opened)
        if answers is not None:
            self.cases.append((opened, proposal, answers, person, origin, advice))

    # --- who answers -----------------------------------------------------------------------------------------

    def _who(self, proposal: Proposal, person: int, opened: datetime) -> Answers | None:
        day = self.timing.day(opened)
        if proposal.rule.audience == "obstetrician":
            return self._obstetrician(person, day)
        stays = self.register.stays[person]
        if not stays:
            return None
        stay = next((s for s in stays if s.since <= day and (s.until is None or day < s.until)), stays[-1])
        doctor = next((p for p in self.region.posts if p.ambulant and p.works_on(day) and p.site_on(day) == stay.site),
                      None)  # fmt: skip
        nurse = next((n for n, a, b in self.nurses.get(stay.site, []) if a <= day and (b is None or day < b)), None)
        # At one ambulatory nobody has been appointed for some days: its newest cases stand in the queue.
        vacant = stay.organisation == self.region.organisations["zhusandoy"] and opened > self.timing.now - VACANT
        if vacant or doctor is None:
            return Answers(stay.organisation, stay.site, None, nurse, None)
        return Answers(stay.organisation, stay.site, doctor.practitioner, nurse, doctor.user)

    def _obstetrician(self, person: int, day: date) -> Answers:
        found: tuple[int, int | None] | None = None
        for row in self.store.pregnancy_care.rows:
            if row[3] == person + 1 and row[6] <= day:
                found = row[1], row[4]
        if found is None:
            return Answers(self.region.organisations["polyclinic"], None, None, None, None)
        post: Post | None = next((p for p in self.region.posts if p.practitioner == found[1]), None)
        return Answers(found[0], None, found[1], None, post.user if post else None)

    # --- what was done ---------------------------------------------------------------------------------------

    def _write(
        self, opened: datetime, proposal: Proposal, answers: Answers, person: int, origin: int, advice: str | None
    ) -> None:
        rule = proposal.rule
        event = proposal.event_at.astimezone(UTC).replace(tzinfo=None)
        due = rule.due_at(proposal.event_at, _aware(opened)).astimezone(UTC).replace(tzinfo=None)
        steps = self._steps(opened, due, answers, person, rule.subject == "death")
        last = steps[-1] if steps else None
        at = {kind: moment for kind, moment, _ in steps}
        outcome = last[2] if last and last[0] == "closed" else None
        key = self.store.signal_case.add(
            answers.organisation, person + 1, rule.code, rule.version, rule.subject, proposal.subject_id,
            rule.severity, rule.audience, proposal.reason_code,
            json.dumps({reason: dict(details) for reason, details in proposal.reasons.items()}, ensure_ascii=False),
            "{" + ",".join(rule.advice) + "}", advice, origin, proposal.icd10, event, opened, due, answers.site,
            answers.practitioner, answers.nurse, last[0] if last else "opened", at.get("delivered"), at.get("seen"),
            at.get("contacted"), at.get("visited"), at.get("closed"), outcome,
        )  # fmt: skip
        detail = json.dumps({"reason_code": proposal.reason_code})
        self.store.signal_event.add(answers.organisation, key, person + 1, "opened", opened, None, None, detail)
        for kind, moment, what in steps:
            self.store.signal_event.add(
                answers.organisation, key, person + 1, kind, moment, answers.user if kind != "delivered" else None,
                None, json.dumps({"outcome": what}) if kind == "closed" else "{}",
            )  # fmt: skip

    def _steps(
        self, opened: datetime, due: datetime, answers: Answers, person: int, death: bool
    ) -> list[tuple[str, datetime, str]]:
        """Kind, moment and outcome of what has happened to the case up to now."""
        rng, now = self.rng, self.timing.now
        if answers.practitioner is None:
            return []
        steps: list[tuple[str, datetime, str]] = []
        at = opened + timedelta(minutes=rng.randint(1, 20))
        steps.append(("delivered", at, ""))
        patience = (due - opened) / timedelta(hours=1)
        fresh = opened > now - FRESH
        stops = rng.choice(("delivered", "seen", "contacted", "closed", "closed")) if fresh else "closed"
        if not fresh and rng.random() < FORGOTTEN and opened > now - timedelta(days=60):
            stops = "seen"
        outcome = "reviewed" if death else weighted(rng, ENDS)
        died = self.register.people[person].death
        for kind, share in (("seen", 0.15), ("contacted", 0.3), ("visited", 0.6), ("closed", 0.02)):
            if stops == "delivered" or (death and kind in ("contacted", "visited")):
                continue
            if kind == "visited" and outcome != "visited":
                continue
            at += timedelta(hours=max(0.05, patience * share * rng.uniform(0.3, 1.3)))
            at = at.replace(second=0, microsecond=0)
            if not death and died is not None and self.timing.day(at) >= died:
                end = self.timing.at(died, 23.9)
                return [*steps, ("closed", max(end, steps[-1][1]), "died")] if end < now else steps
            if at >= now:
                return steps
            steps.append((kind, at, outcome))
            if kind == stops:
                break
        return steps


def _aware(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)


def _by_stay(table: Any) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in table.rows:
        found.setdefault(row[2], []).append(dict(zip(table.columns, row, strict=True)))
    return found
