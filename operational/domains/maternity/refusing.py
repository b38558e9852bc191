"""What the database refuses, said as the rule that it stands for; and who may write a pregnancy."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from operational.domains.maternity import errors, repository
from operational.domains.maternity.models import Pregnancy, PregnancyCare
from operational.kit.access import scope_of
from operational.kit.db import give_reason
from operational.kit.errors import BusinessError, NotFound, constraint_of

LEAST_REASON = 3  # letters
REFUSALS: dict[str, type[BusinessError]] = {
    "uq_pregnancy_open": errors.PregnancyOpen,
    "ck_pregnancy_last_menstrual_date": errors.MenstruationInFuture,
    "ck_pregnancy_term": errors.TermTooLong,
    "ck_pregnancy_parity": errors.ParityWrong,
    "ck_pregnancy_ended_on": errors.EndOutside,
    "ck_pregnancy_woman": errors.NotAWoman,
    "ck_pregnancy_holds_visits": errors.EndBeforeVisit,
    "uq_pregnancy_risk_factor_code": errors.FactorTwice,
    "uq_pregnancy_visit_no": errors.VisitHeldAlready,
    "ck_pregnancy_visit_before_death": errors.VisitAfterDeath,
    "ck_pregnancy_visit_in_term": errors.VisitOutside,
    "ck_pregnancy_visit_led": errors.VisitNotLed,
    "ck_pregnancy_visit_gestation": errors.VisitOutside,
    "ck_pregnancy_visit_pressure_order": errors.PressureIncomplete,
    "ck_birth_plurality": errors.BirthOrderWrong,
    "ck_birth_gestation": errors.WeeksDiffer,
    "uq_birth_order": errors.BirthOrderTaken,
}


def flush(session: Session, **instead: type[BusinessError]) -> None:
    """Write what changed. ``instead`` names another refusal for a constraint."""
    try:
        session.flush()
    except IntegrityError as error:
        name = constraint_of(error)
        refusal = instead.get(name) or REFUSALS.get(name)
        if refusal is None:
            raise
        raise refusal() from None


def require_reason(session: Session, reason: str) -> str:
    """The reason, kept beside every change that follows. Raises ReasonNeeded."""
    if len(reason.strip()) < LEAST_REASON:
        raise errors.ReasonNeeded()
    give_reason(session, reason.strip())
    return reason.strip()


def writable(session: Session, key: int, *, ended: bool = False) -> tuple[Pregnancy, PregnancyCare]:
    """The pregnancy, locked, with its care of now, for the organisation that leads it.

    Raises NotFound, PregnancyVoided, NotLeading, and PregnancyEndedAlready unless ``ended`` ones may change too.
    """
    known = repository.pregnancy(session, key)
    if known is None:
        raise NotFound()
    care = repository.current_care(session, key)
    if care is None or care.owner_organisation_id not in scope_of(session).organisation_ids:
        raise errors.NotLeading()
    pregnancy = repository.pregnancy(session, key, lock=True)
    if pregnancy is None:
        raise errors.NotLeading()
    if pregnancy.voided_at is not None:
        raise errors.PregnancyVoided()
    if pregnancy.ended_on is not None and not ended:
        raise errors.PregnancyEndedAlready()
    return pregnancy, care
