"""Pregnancies, visits and births for tests, made by the services."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from kmis.clock import FixedClock
from operational.domains.maternity.delivering import Births
from operational.domains.maternity.models import Birth, Pregnancy, PregnancyVisit
from operational.domains.maternity.schemas import HoldVisit, RegisterBirth, RegisterPregnancy
from operational.domains.maternity.service import Pregnancies
from operational.domains.maternity.visiting import PregnancyVisits
from operational.domains.patients.models import Patient
from tests.operational.patients.builders import registered
from tests.operational.stage import NOW

ZONE = ZoneInfo("Asia/Oral")
CLOCK = FixedClock(NOW)
TODAY = date(2026, 11, 24)
LMP = date(2026, 9, 1)  # twelve weeks before today


def services(session: Session) -> tuple[Pregnancies, PregnancyVisits, Births]:
    """The three services of the domain at the stage's moment."""
    return Pregnancies(session, CLOCK, ZONE), PregnancyVisits(session, CLOCK, ZONE), Births(session, CLOCK, ZONE)


def create_woman(session: Session, **values: Any) -> Patient:
    """A registered woman of 26."""
    return registered(session, **({"birth_date": date(2000, 3, 8), "sex": "F"} | values))


def create_pregnancy(session: Session, patient: Patient | None = None, **values: Any) -> Pregnancy:
    """A first pregnancy in its thirteenth week, registered today."""
    woman = patient or create_woman(session)
    row: dict[str, Any] = {"patient_id": woman.id, "last_menstrual_date": LMP, "gravida": 1, "para": 0} | values
    return services(session)[0].register(RegisterPregnancy(**row))


def create_visit(session: Session, pregnancy: Pregnancy, **values: Any) -> PregnancyVisit:
    """A visit of today beside the plan."""
    return services(session)[1].hold(pregnancy.id, HoldVisit(**values))


def create_birth(session: Session, patient_id: int, **values: Any) -> Birth:
    """A live boy born today at term."""
    row: dict[str, Any] = {"patient_id": patient_id, "born_at": "2026-11-24T10:00:00", "sex": "M", "weight_g": 3400}
    return services(session)[2].register(RegisterBirth(**(row | values)))


def grant_access(session: Session, patient_id: int, organisation_id: int) -> None:
    """Let an organisation of the scope see the person."""
    session.execute(text("select kmis_open_person(:p, :o, 'came for care')"), {"p": patient_id, "o": organisation_id})
