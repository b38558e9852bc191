"""Refusals of pregnancies, their visits and births."""

from __future__ import annotations

from operational.kit.errors import BusinessError, Conflict, Forbidden


class NotAWoman(BusinessError):
    """A pregnancy and a birth belong to a woman."""

    message_key = "maternity.error.not_woman"
    field = "patient_id"


class AgeImplausible(BusinessError):
    """The woman's age lies outside the bounds of the rule."""

    message_key = "maternity.error.age"
    field = "patient_id"


class WomanDied(BusinessError):
    """The woman died before."""

    message_key = "maternity.error.died"
    field = "patient_id"


class MenstruationInFuture(BusinessError):
    """The last menstruation began before the registration."""

    message_key = "maternity.error.lmp_future"
    field = "last_menstrual_date"


class TermTooLong(BusinessError):
    """More days since the last menstruation than a pregnancy lasts."""

    message_key = "maternity.error.lmp_early"
    field = "last_menstrual_date"


class RegisteredInFuture(BusinessError):
    """A registration lies in the past."""

    message_key = "maternity.error.registered_future"
    field = "registered_on"


class ParityWrong(BusinessError):
    """Births before do not go together with the number of pregnancies."""

    message_key = "maternity.error.parity"
    field = "para"


class PregnancyOpen(Conflict):
    """The woman has an open pregnancy already: it is taken over, not registered again."""

    message_key = "maternity.error.open"
    field = "patient_id"


class NotLeading(Forbidden):
    """Another organisation leads the pregnancy now."""

    message_key = "maternity.error.not_leading"


class LeadsAlready(Conflict):
    """The organisation leads this pregnancy already."""

    message_key = "maternity.error.leads_already"


class NoPosition(BusinessError):
    """Who leads or writes has a position in the organisation on the day."""

    message_key = "maternity.error.no_position"
    field = "practitioner_id"


class PregnancyEndedAlready(Conflict):
    """An ended pregnancy changes only after it was opened again."""

    message_key = "maternity.error.ended"


class PregnancyNotEnded(Conflict):
    """Only an ended pregnancy is opened again."""

    message_key = "maternity.error.not_ended"


class PregnancyVoided(Conflict):
    """A pregnancy entered in error changes no more."""

    message_key = "maternity.error.voided"


class EndOutside(BusinessError):
    """The end lies between the last menstruation and today."""

    message_key = "maternity.error.end_day"
    field = "ended_on"


class EndBeforeVisit(BusinessError):
    """A visit would lie after the end, or before the beginning."""

    message_key = "maternity.error.end_before_visit"
    field = "ended_on"


class BirthOutOfTerm(BusinessError):
    """No birth at this term."""

    message_key = "maternity.error.birth_term"
    field = "born_at"


class HasBirths(Conflict):
    """A pregnancy whose birth stands stays ended."""

    message_key = "maternity.error.has_births"


class UnknownFactor(BusinessError):
    """The risk factor does not stand in the directory, or follows from figures."""

    message_key = "maternity.error.unknown_factor"
    field = "factor_code"


class FactorTwice(Conflict):
    """The pregnancy has this risk factor already."""

    message_key = "maternity.error.factor_twice"
    field = "factor_code"


class VisitInFuture(BusinessError):
    """A visit is written after it was held."""

    message_key = "maternity.error.visit_future"
    field = "visited_at"


class VisitOutside(BusinessError):
    """A visit lies between the last menstruation and the end of the pregnancy."""

    message_key = "maternity.error.visit_outside"
    field = "visited_at"


class VisitNotLed(BusinessError):
    """The organisation led the pregnancy when the visit was held."""

    message_key = "maternity.error.visit_not_led"
    field = "visited_at"


class VisitAfterDeath(BusinessError):
    """No visit after the woman's death."""

    message_key = "maternity.error.visit_after_death"
    field = "visited_at"


class VisitHeldAlready(Conflict):
    """The planned visit was held already."""

    message_key = "maternity.error.visit_held"
    field = "visit_no"


class VisitNotPlanned(BusinessError):
    """The plan has no visit of this number."""

    message_key = "maternity.error.visit_unplanned"
    field = "visit_no"


class PressureIncomplete(BusinessError):
    """Both figures of a pressure are given, the upper one not below the lower one."""

    message_key = "maternity.error.pressure"
    field = "diastolic"


class NextVisitEarly(BusinessError):
    """The next visit is after this one."""

    message_key = "maternity.error.next_visit"
    field = "next_visit_on"


class BirthInFuture(BusinessError):
    """A birth is written after it happened."""

    message_key = "maternity.error.birth_future"
    field = "born_at"


class BirthOrderWrong(BusinessError):
    """The number of the newborn is not above how many were born."""

    message_key = "maternity.error.birth_order"
    field = "birth_order"


class BirthOrderTaken(Conflict):
    """This newborn of the delivery was registered already."""

    message_key = "maternity.error.birth_order_taken"
    field = "birth_order"


class PluralityDiffers(Conflict):
    """The newborns of one delivery say the same of how many they are."""

    message_key = "maternity.error.plurality"
    field = "plurality"


class DeliveryDayWrong(BusinessError):
    """A newborn is born on the day of the delivery or the two after it."""

    message_key = "maternity.error.delivery_day"
    field = "delivery_date"


class WeeksDiffer(BusinessError):
    """The stated term is far from the one that follows from the last menstruation, or is missing."""

    message_key = "maternity.error.weeks"
    field = "gestation_weeks"


class VisitAfterBirth(BusinessError):
    """The leading organisation has a visit after this day."""

    message_key = "maternity.error.visit_after_birth"
    field = "born_at"


class DepartmentOfAnother(BusinessError):
    """The department belongs to the organisation of the birth."""

    message_key = "maternity.error.department"
    field = "department_id"


class ReasonNeeded(BusinessError):
    """A reason of at least three letters is given."""

    message_key = "maternity.error.reason"
    field = "reason"
