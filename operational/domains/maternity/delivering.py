"""Births: one row for each newborn of a delivery; hospitals register them too. The first one ends the pregnancy."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from kmis.clock import Clock, local_date
from operational.domains.maternity import errors, refusing, repository, ruleset
from operational.domains.maternity.models import Birth, Pregnancy
from operational.domains.maternity.schemas import RegisterBirth
from operational.domains.maternity.service import woman
from operational.domains.patients import service as patients
from operational.domains.patients.schemas import Registration, Sex
from operational.events.maternity import PregnancyEnded
from operational.kit.access import scope_of
from operational.kit.audit import audit
from operational.kit.errors import NotFound
from operational.kit.events import announce

# Children of one delivery may be born around midnight.
DELIVERY_LASTS = timedelta(days=2)
WEEKS_MAY_DIFFER = 4
CHILD_SEX: dict[str, Sex] = {"M": "M", "F": "F", "U": "U"}


class Births:
    """The use cases of births for one session."""

    def __init__(self, session: Session, clock: Clock, zone: ZoneInfo) -> None:
        self.session = session
        self.clock = clock
        self.zone = zone

    def get(self, key: int) -> Birth:
        """A birth of a mother whom the scope sees. Raises NotFound."""
        row = repository.birth(self.session, key)
        if row is None:
            raise NotFound()
        return row

    def pregnancy_of(self, patient_id: int, day: date) -> Pregnancy | None:
        """The pregnancy that a birth on the day belongs to: open, or ended by a birth of the same delivery."""
        return repository.pregnancy_for_birth(self.session, patient_id, day, DELIVERY_LASTS)

    def register(self, wanted: RegisterBirth) -> Birth:
        """Write one newborn. The pregnancy ends with the delivery's first; PregnancyEnded is announced then.

        Raises a BusinessError that names the field.
        """
        born = wanted.born_at if wanted.born_at.tzinfo else wanted.born_at.replace(tzinfo=self.zone)
        if born > self.clock.now() + timedelta(minutes=5):
            raise errors.BirthInFuture()
        day = local_date(born, self.zone)
        mother = woman(self.session, wanted.patient_id, day)
        if wanted.birth_order > wanted.plurality:
            raise errors.BirthOrderWrong()
        pregnancy = self.pregnancy_of(mother.id, day)
        patient_id = pregnancy.patient_id if pregnancy else mother.merged_into_id or mother.id
        delivery = self._delivery_day(wanted, pregnancy, patient_id, day)
        weeks = self._weeks(wanted, pregnancy, delivery)
        owner = self._owner(wanted.department_id, day)
        was_open = pregnancy is not None and pregnancy.ended_on is None
        row = Birth(
            owner_organisation_id=owner, patient_id=patient_id, pregnancy_id=pregnancy.id if pregnancy else None,
            born_at=born, delivery_date=delivery, birth_order=wanted.birth_order, plurality=wanted.plurality,
            place=wanted.place, department_id=wanted.department_id, vital_status=wanted.vital_status, sex=wanted.sex,
            delivery_mode=wanted.delivery_mode, gestation_weeks=weeks, weight_g=wanted.weight_g,
            length_cm=wanted.length_cm, apgar_1=wanted.apgar_1, apgar_5=wanted.apgar_5,
            practitioner_id=scope_of(self.session).practitioner_id,
        )  # fmt: skip
        self.session.add(row)
        refusing.flush(self.session, ck_pregnancy_holds_visits=errors.VisitAfterBirth)
        audit(self.session, "birth.registered", object_table="birth", object_id=row.id, organisation_id=owner)
        if wanted.register_child_flag and wanted.vital_status == "live":
            self._register_child(row, day)
        if pregnancy is not None and was_open:
            self.session.refresh(pregnancy)
            event = PregnancyEnded(pregnancy.id, pregnancy.patient_id, owner)
            announce(self.session, event, self.clock, self.zone)
        return row

    def void(self, key: int, reason: str) -> Birth:
        """Mark a birth as entered in error; with the last one the pregnancy is open again."""
        row = repository.birth(self.session, key, lock=True)
        if row is None or row.voided_at is not None:
            raise NotFound()
        row.void_reason, row.voided_at = refusing.require_reason(self.session, reason), self.clock.now()
        refusing.flush(self.session)
        audit(self.session, "birth.voided", object_table="birth", object_id=key, reason=reason)
        return row

    def _register_child(self, row: Birth, day: date) -> None:
        """Add the newborn to the register as the mother's child, and link it."""
        form = Registration(
            identity_kind="newborn", mother_id=row.patient_id, birth_order=row.birth_order, birth_date=day,
            sex=CHILD_SEX[row.sex],
        )  # fmt: skip
        child = patients.register(self.session, form, local_date(self.clock.now(), self.zone))
        row.child_patient_id = child.id
        refusing.flush(self.session)

    def _delivery_day(self, wanted: RegisterBirth, pregnancy: Pregnancy | None, patient_id: int, day: date) -> date:
        """The day of the delivery's first child; the newborns of one delivery agree on how many they are."""
        known = repository.births_near(self.session, patient_id, day, DELIVERY_LASTS)
        delivery = wanted.delivery_date or (known[0].delivery_date if known else day)
        if not delivery <= day <= delivery + DELIVERY_LASTS:
            raise errors.DeliveryDayWrong()
        if any(row.plurality != wanted.plurality for row in known if row.delivery_date == delivery):
            raise errors.PluralityDiffers()
        if pregnancy is not None and delivery < pregnancy.last_menstrual_date:
            raise errors.BirthOutOfTerm()
        return delivery

    @staticmethod
    def _weeks(wanted: RegisterBirth, pregnancy: Pregnancy | None, delivery: date) -> int:
        if pregnancy is None:
            if wanted.gestation_weeks is None:
                raise errors.WeeksDiffer()
            return wanted.gestation_weeks
        weeks = ruleset.gestation(pregnancy.last_menstrual_date, delivery).weeks
        bounds = ruleset.bounds(delivery)["birth_weeks"]
        if not bounds["least"] <= weeks <= bounds["greatest"]:
            raise errors.BirthOutOfTerm()
        if wanted.gestation_weeks is not None and abs(wanted.gestation_weeks - weeks) > WEEKS_MAY_DIFFER:
            raise errors.WeeksDiffer()
        return wanted.gestation_weeks or weeks

    def _owner(self, department_id: int | None, day: date) -> int:
        scope = scope_of(self.session)
        if department_id is not None:
            department = repository.department(self.session, department_id)
            if department is None or department.organisation_id not in scope.organisation_ids:
                raise errors.DepartmentOfAnother()
            return department.organisation_id
        role = (
            repository.role_on(self.session, scope.practitioner_id, scope.organisation_ids, day)
            if scope.practitioner_id else None
        )  # fmt: skip
        owner = role.organisation_id if role else scope.home_organisation_id
        if owner is None:
            raise errors.DepartmentOfAnother()
        return owner
