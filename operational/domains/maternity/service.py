"""A pregnancy under care: registered, taken over, corrected, ended, opened again, voided."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kmis.clock import Clock, local_date
from operational.domains.maternity import errors, refusing, repository, ruleset
from operational.domains.maternity.models import (
    PlannedPregnancyVisit,
    Pregnancy,
    PregnancyCare,
    PregnancyRiskFactor,
)
from operational.domains.maternity.schemas import (
    CorrectPregnancy,
    EndPregnancy,
    PregnancyFigures,
    RegisterPregnancy,
    TakeOver,
)
from operational.domains.patients.models import Patient
from operational.events.maternity import PregnancyEnded
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.errors import NotFound
from operational.kit.events import announce
from operational.web.formats import age_in_years

REPLANNED = "replanned"


def woman(session: Session, patient_id: int, day: date) -> Patient:
    """The patient, when she may be pregnant or give birth on the day. Raises NotFound, NotAWoman, AgeImplausible,
    WomanDied."""
    patient = repository.patient(session, patient_id)
    if patient is None or patient.voided_at is not None:
        raise NotFound("patient_id")
    if patient.sex == "M":
        raise errors.NotAWoman()
    bounds = ruleset.bounds(day)
    if patient.birth_date is not None:
        age = age_in_years(patient.birth_date, day)
        if not bounds["least_age"] <= age <= bounds["greatest_age"]:
            raise errors.AgeImplausible()
    if patient.death_date is not None and patient.death_date < day:
        raise errors.WomanDied()
    return patient


def count_risk(session: Session, pregnancy: Pregnancy) -> None:
    """Make the risk group agree with the factors that stand, by the rule of the day of registration."""
    codes = [row.factor_code for row in repository.factors(session, pregnancy.id)]
    pregnancy.risk_group = ruleset.risk_group(codes, pregnancy.registered_on)
    refusing.flush(session)


class Pregnancies:
    """The use cases of a pregnancy for one session."""

    def __init__(self, session: Session, clock: Clock, zone: ZoneInfo) -> None:
        self.session = session
        self.clock = clock
        self.zone = zone

    def today(self) -> date:
        return local_date(self.clock.now(), self.zone)

    def get(self, key: int) -> Pregnancy:
        """A pregnancy of a woman whom the scope sees. Raises NotFound."""
        pregnancy = repository.pregnancy(self.session, key)
        if pregnancy is None:
            raise NotFound()
        return pregnancy

    def register(self, wanted: RegisterPregnancy) -> Pregnancy:
        """Take a woman under pregnancy care: term, risk group and plan of visits follow by the rules of the day.

        Raises PregnancyOpen when one is open anywhere in the region (it is taken over instead), and the refusals of
        the figures at their fields.
        """
        day = wanted.registered_on or self.today()
        if day > self.today():
            raise errors.RegisteredInFuture()
        patient = woman(self.session, wanted.patient_id, day)
        survivor = patient.merged_into_id or patient.id
        repository.lock_person(self.session, survivor)
        if repository.open_in_region(self.session, patient.id) is not None:
            raise errors.PregnancyOpen()
        self._check(wanted, day)
        organisation_id, practitioner_id = self._leader(wanted.practitioner_id, day)
        pregnancy = Pregnancy(
            owner_organisation_id=organisation_id, patient_id=survivor, registered_on=day,
            last_menstrual_date=wanted.last_menstrual_date,
            expected_delivery_date=ruleset.delivery_date(wanted.last_menstrual_date, day), gravida=wanted.gravida,
            para=wanted.para, height_cm=wanted.height_cm, weight_before_kg=wanted.weight_before_kg,
            risk_group="low", note=wanted.note or None,
        )  # fmt: skip
        self.session.add(pregnancy)
        refusing.flush(self.session)
        self.session.add(
            PregnancyCare(
                owner_organisation_id=organisation_id, pregnancy_id=pregnancy.id, patient_id=survivor,
                practitioner_id=practitioner_id, valid_from=day,
            )
        )  # fmt: skip
        refusing.flush(self.session)
        levels, automatic = ruleset.factor_levels(day), ruleset.follows_from_figures(day)
        for code in wanted.factors:
            if code not in levels or code in automatic:
                raise errors.UnknownFactor("factors")
        self.settle_factors(pregnancy, organisation_id, patient, add=wanted.factors)
        self._plan(pregnancy, organisation_id)
        audit(self.session, "pregnancy.registered", object_table="pregnancy", object_id=pregnancy.id,
              organisation_id=organisation_id)  # fmt: skip
        return pregnancy

    def take_over(self, key: int, wanted: TakeOver) -> Pregnancy:
        """From today the user's organisation leads the pregnancy; what was written before stays where it is.

        Within the leading organisation another obstetrician takes it. Raises LeadsAlready when nothing would change.
        """
        reason = refusing.require_reason(self.session, wanted.reason)
        pregnancy = self.get(key)
        if pregnancy.voided_at is not None:
            raise errors.PregnancyVoided()
        if pregnancy.ended_on is not None:
            raise errors.PregnancyEndedAlready()
        today = self.today()
        organisation_id, practitioner_id = self._leader(wanted.practitioner_id, today)
        care = repository.current_care(self.session, key)
        if care and (care.owner_organisation_id, care.practitioner_id) == (organisation_id, practitioner_id):
            raise errors.LeadsAlready()
        repository.take_over(self.session, key, organisation_id, practitioner_id, today, reason)
        self.session.expire_all()
        return self.get(key)

    def correct(self, key: int, wanted: CorrectPregnancy) -> Pregnancy:
        """Correct the figures of the registration; delivery date, risk, plan and terms of visits follow."""
        pregnancy, care = refusing.writable(self.session, key, ended=True)
        refusing.require_reason(self.session, wanted.reason)
        self._check(wanted, pregnancy.registered_on)
        pregnancy.last_menstrual_date = wanted.last_menstrual_date
        pregnancy.expected_delivery_date = ruleset.delivery_date(wanted.last_menstrual_date, pregnancy.registered_on)
        pregnancy.gravida, pregnancy.para = wanted.gravida, wanted.para
        pregnancy.height_cm, pregnancy.weight_before_kg = wanted.height_cm, wanted.weight_before_kg
        pregnancy.note = wanted.note or None
        refusing.flush(self.session, ck_pregnancy_holds_visits=errors.MenstruationInFuture)
        for visit, _ in repository.visits(self.session, key):
            visit.gestation_days = (local_date(visit.visited_at, self.zone) - wanted.last_menstrual_date).days
        refusing.flush(self.session)
        patient = repository.patient(self.session, pregnancy.patient_id)
        self.settle_factors(pregnancy, care.owner_organisation_id, patient)
        self._plan(pregnancy, care.owner_organisation_id)
        audit(self.session, "pregnancy.corrected", object_table="pregnancy", object_id=key, reason=wanted.reason)
        return pregnancy

    def end(self, key: int, wanted: EndPregnancy) -> Pregnancy:
        """Write how the pregnancy ended; PregnancyEnded is announced."""
        pregnancy, care = refusing.writable(self.session, key)
        if not pregnancy.last_menstrual_date <= wanted.ended_on <= self.today():
            raise errors.EndOutside()
        if wanted.outcome == "birth":
            weeks = ruleset.gestation(pregnancy.last_menstrual_date, wanted.ended_on).weeks
            bounds = ruleset.bounds(wanted.ended_on)["birth_weeks"]
            if not bounds["least"] <= weeks <= bounds["greatest"]:
                raise errors.BirthOutOfTerm("ended_on")
        pregnancy.ended_on, pregnancy.outcome = wanted.ended_on, wanted.outcome
        refusing.flush(self.session)
        audit(self.session, "pregnancy.ended", object_table="pregnancy", object_id=key)
        event = PregnancyEnded(pregnancy.id, pregnancy.patient_id, care.owner_organisation_id)
        announce(self.session, event, self.clock, self.zone)
        return pregnancy

    def reopen(self, key: int, reason: str) -> Pregnancy:
        """Take the end back. Raises HasBirths while a birth of it stands, PregnancyOpen beside a newer one."""
        pregnancy, _ = refusing.writable(self.session, key, ended=True)
        if pregnancy.ended_on is None:
            raise errors.PregnancyNotEnded()
        refusing.require_reason(self.session, reason)
        if any(row.voided_at is None for row in repository.births(self.session, key)):
            raise errors.HasBirths()
        pregnancy.ended_on = pregnancy.outcome = None
        refusing.flush(self.session)
        audit(self.session, "pregnancy.reopened", object_table="pregnancy", object_id=key, reason=reason)
        return pregnancy

    def void(self, key: int, reason: str) -> Pregnancy:
        """Mark a pregnancy as entered in error; it leaves every figure and stays in the card, marked."""
        pregnancy, _ = refusing.writable(self.session, key, ended=True)
        pregnancy.void_reason = refusing.require_reason(self.session, reason)
        pregnancy.voided_at = self.clock.now()
        refusing.flush(self.session)
        audit(self.session, "pregnancy.voided", object_table="pregnancy", object_id=key, reason=reason)
        return pregnancy

    def restore(self, key: int, reason: str) -> Pregnancy:
        """Take a void back. Raises PregnancyOpen beside a newer one."""
        care = repository.current_care(self.session, key)
        pregnancy = repository.pregnancy(self.session, key)
        if pregnancy is None or pregnancy.voided_at is None:
            raise NotFound()
        if care is None or care.owner_organisation_id not in scope_of(self.session).organisation_ids:
            raise errors.NotLeading()
        refusing.require_reason(self.session, reason)
        pregnancy.voided_at = pregnancy.void_reason = None
        refusing.flush(self.session)
        audit(self.session, "pregnancy.restored", object_table="pregnancy", object_id=key, reason=reason)
        return pregnancy

    def settle_factors(
        self, pregnancy: Pregnancy, organisation_id: int, patient: Patient | None, add: Iterable[str] = ()
    ) -> None:
        """Make the factors that follow from figures agree with them, add the chosen ones, and count the group."""
        day = pregnancy.registered_on
        derived = ruleset.automatic_factors(self._figures(pregnancy, patient), day)
        automatic = ruleset.follows_from_figures(day)
        standing = {row.factor_code: row for row in repository.factors(self.session, pregnancy.id)}
        for code, row in standing.items():
            if code in automatic - derived:
                row.voided_at, row.void_reason = self.clock.now(), "figures_corrected"
        for code in sorted((derived | set(add)) - standing.keys()):
            self.session.add(
                PregnancyRiskFactor(
                    owner_organisation_id=organisation_id, pregnancy_id=pregnancy.id, factor_code=code,
                    patient_id=pregnancy.patient_id, found_on=day,
                )
            )  # fmt: skip
        refusing.flush(self.session)
        count_risk(self.session, pregnancy)

    def _figures(self, pregnancy: Pregnancy, patient: Patient | None) -> dict[str, Decimal | int | None]:
        born = patient.birth_date if patient else None
        return {
            "age": age_in_years(born, pregnancy.registered_on) if born else None,
            "bmi": ruleset.body_mass_index(pregnancy.height_cm, pregnancy.weight_before_kg),
            "para": pregnancy.para,
            "weeks_at_registration": ruleset.gestation(pregnancy.last_menstrual_date, pregnancy.registered_on).weeks,
        }

    def _plan(self, pregnancy: Pregnancy, organisation_id: int) -> None:
        """Make the plan agree with the term; visits that were held keep their place in it."""
        windows = {row.visit_no: row for row in ruleset.plan(pregnancy.last_menstrual_date, pregnancy.registered_on)}
        held = {visit.visit_no for visit, _ in repository.visits(self.session, pregnancy.id)}
        for row in repository.planned(self.session, pregnancy.id):
            window = windows.pop(row.visit_no, None)
            if window is not None:
                row.due_from, row.due_to = window.due_from, window.due_to
                row.voided_at = row.void_reason = None
            elif row.visit_no not in held:
                row.voided_at, row.void_reason = self.clock.now(), REPLANNED
        for window in windows.values():
            self.session.add(
                PlannedPregnancyVisit(
                    owner_organisation_id=organisation_id, pregnancy_id=pregnancy.id,
                    patient_id=pregnancy.patient_id, visit_no=window.visit_no, due_from=window.due_from,
                    due_to=window.due_to,
                )
            )  # fmt: skip
        refusing.flush(self.session)

    @staticmethod
    def _check(wanted: PregnancyFigures, registered_on: date) -> None:
        if wanted.last_menstrual_date > registered_on:
            raise errors.MenstruationInFuture()
        longest = ruleset.bounds(registered_on)["latest_registration_days"]
        if (registered_on - wanted.last_menstrual_date).days > longest:
            raise errors.TermTooLong()
        if wanted.para >= wanted.gravida:  # the present pregnancy has no birth yet
            raise errors.ParityWrong()

    def _leader(self, practitioner_id: int | None, day: date) -> tuple[int, int | None]:
        """The organisation and the obstetrician that will lead: the named one, or the user."""
        scope = scope_of(self.session)
        chosen = practitioner_id or scope.practitioner_id
        if chosen is not None:
            role = repository.role_on(self.session, chosen, scope.organisation_ids, day)
            if role is not None:
                return role.organisation_id, chosen
            if practitioner_id is not None:
                raise errors.NoPosition()
        if scope.home_organisation_id is None:
            raise errors.NoPosition()
        return scope.home_organisation_id, None
