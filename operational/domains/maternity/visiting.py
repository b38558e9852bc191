"""Visits of a pregnant woman and her risk factors, written by the organisation that leads the pregnancy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kmis.clock import Clock, local_date
from operational.domains.maternity import errors, refusing, repository, ruleset
from operational.domains.maternity.models import Pregnancy, PregnancyCare, PregnancyRiskFactor, PregnancyVisit
from operational.domains.maternity.schemas import CorrectVisit, HoldVisit
from operational.domains.maternity.service import count_risk
from operational.events.maternity import PregnancyVisitHeld
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.errors import NotFound
from operational.kit.events import announce

MEASURED = ("weight_kg", "systolic", "diastolic", "fundal_height_cm", "fetal_heart_rate", "oedema", "proteinuria")


def warnings_of(visit: PregnancyVisit, before: PregnancyVisit | None) -> list[str]:
    """The warnings of a visit by the rule of its day; the weight is compared with the visit before it."""
    figures: dict[str, Any] = {name: getattr(visit, name) for name in MEASURED}
    if before is not None and before.weight_kg is not None and visit.weight_kg is not None:
        days = (visit.visited_at - before.visited_at).days
        if days >= 5:
            figures["weekly_gain_kg"] = (visit.weight_kg - before.weight_kg) * 7 / days
    return ruleset.warnings(figures, visit.visited_at.date())


class PregnancyVisits:
    """The use cases of visits and risk factors for one session."""

    def __init__(self, session: Session, clock: Clock, zone: ZoneInfo) -> None:
        self.session = session
        self.clock = clock
        self.zone = zone

    def hold(self, key: int, wanted: HoldVisit) -> PregnancyVisit:
        """Write a visit; PregnancyVisitHeld is announced. Raises a BusinessError that names the field."""
        pregnancy, care = refusing.writable(self.session, key, ended=True)
        visited = self._moment(wanted.visited_at)
        day = local_date(visited, self.zone)
        practitioner = scope_of(self.session).practitioner_id
        if practitioner is None or repository.role_on(
            self.session, practitioner, frozenset({care.owner_organisation_id}), day
        ) is None:  # fmt: skip
            raise errors.NoPosition("visited_at")
        self._check(pregnancy, wanted, visited, care.owner_organisation_id)
        visit = PregnancyVisit(
            owner_organisation_id=care.owner_organisation_id, pregnancy_id=key, patient_id=pregnancy.patient_id,
            practitioner_id=practitioner, gestation_days=(day - pregnancy.last_menstrual_date).days, place=wanted.place,
            visit_no=wanted.visit_no, visited_at=visited, **self._written(wanted),
        )  # fmt: skip
        self.session.add(visit)
        refusing.flush(self.session)
        audit(self.session, "pregnancy_visit.held", object_table="pregnancy_visit", object_id=visit.id)
        self._announce(visit, care)
        return visit

    def correct(self, key: int, visit_id: int, wanted: CorrectVisit) -> PregnancyVisit:
        """Correct a visit, with the reason; PregnancyVisitHeld is announced again."""
        pregnancy, care = refusing.writable(self.session, key, ended=True)
        visit = self._visit(key, visit_id)
        refusing.require_reason(self.session, wanted.reason)
        visited = visit.visited_at if wanted.visited_at is None else self._moment(wanted.visited_at)
        day = local_date(visited, self.zone)
        self._check(pregnancy, wanted, visited, visit.owner_organisation_id)
        visit.visited_at, visit.visit_no, visit.place = visited, wanted.visit_no, wanted.place
        visit.gestation_days = (day - pregnancy.last_menstrual_date).days
        for name, value in self._written(wanted).items():
            setattr(visit, name, value)
        refusing.flush(self.session)
        audit(self.session, "pregnancy_visit.corrected", object_table="pregnancy_visit", object_id=visit_id,
              reason=wanted.reason)  # fmt: skip
        self._announce(visit, care)
        return visit

    def void(self, key: int, visit_id: int, reason: str) -> PregnancyVisit:
        """Mark a visit as entered in error; its planned visit is due again."""
        refusing.writable(self.session, key, ended=True)
        visit = self._visit(key, visit_id)
        visit.void_reason = refusing.require_reason(self.session, reason)
        visit.voided_at = self.clock.now()
        refusing.flush(self.session)
        audit(self.session, "pregnancy_visit.voided", object_table="pregnancy_visit", object_id=visit_id, reason=reason)
        return visit

    def restore(self, key: int, visit_id: int) -> PregnancyVisit:
        """Take a void back. Raises VisitHeldAlready when the planned visit was held meanwhile."""
        refusing.writable(self.session, key, ended=True)
        visit = repository.visit(self.session, key, visit_id, lock=True)
        if visit is None or visit.voided_at is None:
            raise NotFound()
        visit.voided_at = visit.void_reason = None
        refusing.flush(self.session)
        audit(self.session, "pregnancy_visit.restored", object_table="pregnancy_visit", object_id=visit_id)
        return visit

    def add_factor(self, key: int, code: str) -> PregnancyRiskFactor:
        """Add a risk factor that was found; the group follows."""
        pregnancy, care = refusing.writable(self.session, key)
        rule_day = pregnancy.registered_on
        if code not in ruleset.factor_levels(rule_day) or code in ruleset.follows_from_figures(rule_day):
            raise errors.UnknownFactor()
        row = PregnancyRiskFactor(
            owner_organisation_id=care.owner_organisation_id, pregnancy_id=key, patient_id=pregnancy.patient_id,
            factor_code=code, found_on=local_date(self.clock.now(), self.zone),
        )  # fmt: skip
        self.session.add(row)
        refusing.flush(self.session)
        count_risk(self.session, pregnancy)
        return row

    def remove_factor(self, key: int, factor_id: int, *, restore: bool = False) -> PregnancyRiskFactor:
        """Take a risk factor away, or put it back; the group follows."""
        pregnancy, _ = refusing.writable(self.session, key)
        row = repository.factor(self.session, key, factor_id)
        if row is None or (row.voided_at is None) == restore:
            raise NotFound()
        if row.factor_code in ruleset.follows_from_figures(pregnancy.registered_on):
            raise errors.UnknownFactor()
        row.voided_at, row.void_reason = (None, None) if restore else (self.clock.now(), "taken_away")
        refusing.flush(self.session)
        count_risk(self.session, pregnancy)
        return row

    def _announce(self, visit: PregnancyVisit, care: PregnancyCare) -> None:
        event = PregnancyVisitHeld(visit.id, visit.patient_id, care.owner_organisation_id)
        announce(self.session, event, self.clock, self.zone)

    def _visit(self, key: int, visit_id: int) -> PregnancyVisit:
        visit = repository.visit(self.session, key, visit_id, lock=True)
        if visit is None or visit.voided_at is not None:
            raise NotFound()
        return visit

    def _moment(self, typed: datetime | None) -> datetime:
        """A typed time belongs to the organisation's clock."""
        if typed is None:
            return self.clock.now()
        return typed.replace(tzinfo=self.zone) if typed.tzinfo is None else typed

    def _check(self, pregnancy: Pregnancy, wanted: HoldVisit, visited: datetime, organisation_id: int) -> None:
        day = local_date(visited, self.zone)
        if visited > self.clock.now() + timedelta(minutes=5):
            raise errors.VisitInFuture()
        woman = repository.patient(self.session, pregnancy.patient_id)
        if woman is not None and woman.death_date is not None and day > woman.death_date:
            raise errors.VisitAfterDeath()
        if day < pregnancy.last_menstrual_date or (pregnancy.ended_on is not None and day > pregnancy.ended_on):
            raise errors.VisitOutside()
        led = [
            row
            for row, _ in repository.care_history(self.session, pregnancy.id)
            if row.owner_organisation_id == organisation_id
        ]
        if not any(row.valid_from <= day and (row.valid_to is None or day <= row.valid_to) for row in led):
            raise errors.VisitNotLed()
        if wanted.visit_no is not None:
            plan = {row.visit_no for row in repository.planned(self.session, pregnancy.id) if row.voided_at is None}
            if wanted.visit_no not in plan:
                raise errors.VisitNotPlanned()
        upper, lower = wanted.systolic, wanted.diastolic
        if (upper is None) != (lower is None) or (upper is not None and lower is not None and upper < lower):
            raise errors.PressureIncomplete()
        if wanted.next_visit_on is not None and wanted.next_visit_on <= day:
            raise errors.NextVisitEarly()

    @staticmethod
    def _written(wanted: HoldVisit) -> dict[str, Any]:
        return {
            **{name: getattr(wanted, name) for name in MEASURED},
            "complaint": wanted.complaint or None,
            "conclusion": wanted.conclusion or None,
            "next_visit_on": wanted.next_visit_on,
        }
